#include "journal/segment_index.hpp"

#include <algorithm>
#include <cstdio>

#include "base/check.hpp"
#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::size_t payload_sum_at = 112;
constexpr std::size_t header_sum_at = 120;
constexpr std::size_t posting_bytes = 4;

bool is_definition(record_type type) noexcept {
  return type >= record_type::channel_def && type <= record_type::producer_gone;
}

// A reader refuses an index with any other row, which would be made again and again.
bool numbers_hold(const record_head& block) noexcept {
  return block.first_sequence + block.count > block.first_sequence;
}

std::uint64_t payload_sum(bytes_view payload, const segment_header& of) noexcept {
  return checksum(payload, segment_key(of.journal_id, of.epoch) + of.base);
}

}  // namespace

std::string index_name(std::uint32_t slot) {
  char name[32];
  std::snprintf(name, sizeof name, "seg/%06u.idx", slot);
  return name;
}

std::int64_t index_slot(const std::string& name) {
  unsigned slot = 0;
  if (std::sscanf(name.c_str(), "seg/%u.idx", &slot) != 1 || index_name(slot) != name) return -1;
  return slot;
}

std::optional<segment_index_view> segment_index_view::of(bytes_view file,
                                                         const segment_header& segment,
                                                         std::uint64_t end) {
  if (file.size() < index_header_bytes) return {};
  const std::byte* p = file.data();
  const bool right =
      load<std::uint64_t>(p) == index_magic && load<std::uint32_t>(p + 8) == index_version &&
      load<std::uint32_t>(p + 12) == segment.slot &&
      std::equal(segment.journal_id.begin(), segment.journal_id.end(), p + 16) &&
      load<std::uint64_t>(p + 32) == segment.epoch && load<std::uint64_t>(p + 40) == segment.base &&
      load<std::uint64_t>(p + 48) == end &&
      load<std::uint64_t>(p + header_sum_at) == checksum(file.first(header_sum_at));
  if (!right) return {};
  segment_index_view made;
  if (!made.lay_out(file, segment)) return {};
  const std::size_t payload =
      made.step_bytes_.size() + made.row_bytes_.size() + made.posting_bytes_.size();
  const bool whole = load<std::uint64_t>(p + payload_sum_at) ==
                     payload_sum(file.subspan(index_header_bytes, payload), segment);
  if (!whole || !made.check_rows(end)) return {};
  return made;
}

segment_index_view segment_index_view::of_checked(bytes_view file, const segment_header& segment) {
  segment_index_view made;
  check(made.lay_out(file, segment), "an index that was checked is whole");
  return made;
}

bool segment_index_view::lay_out(bytes_view file, const segment_header& segment) {
  const std::byte* p = file.data();
  base_ = segment.base;
  steps_ = load<std::uint32_t>(p + 56);
  runs_ = load<std::uint32_t>(p + 60);
  postings_ = load<std::uint32_t>(p + 64);
  latest_ns_ = load<std::uint64_t>(p + 72);
  const std::uint64_t steps = std::uint64_t{steps_} * index_step_bytes;
  const std::uint64_t rows = std::uint64_t{runs_} * index_row_bytes;
  const std::uint64_t postings = std::uint64_t{postings_} * posting_bytes;
  if (index_header_bytes + steps + rows + postings > file.size()) return false;
  const bytes_view payload = file.subspan(index_header_bytes);
  step_bytes_ = payload.first(steps);
  row_bytes_ = payload.subspan(steps, rows);
  posting_bytes_ = payload.subspan(steps + rows, postings);
  return true;
}

// What follows from the rows is used without further looks.
bool segment_index_view::check_rows(std::uint64_t end) const noexcept {
  std::uint32_t posting = 0;
  for (std::uint32_t i = 0; i < runs_; ++i) {
    const segment_run one = run(i);
    if (one.span == 0 || one.first + one.span < one.first || one.position >= end ||
        one.postings < posting || one.postings_end < one.postings || one.postings_end > postings_)
      return false;
    posting = one.postings;
  }
  return true;
}

segment_run segment_index_view::run(std::uint32_t at) const noexcept {
  const std::byte* p = row_bytes_.data() + at * index_row_bytes;
  segment_run made;
  made.stream = load<std::uint32_t>(p);
  made.span = load<std::uint32_t>(p + 4);
  made.first = load<std::uint64_t>(p + 8);
  made.bytes = load<std::uint32_t>(p + 16);
  made.postings = load<std::uint32_t>(p + 20);
  made.position = base_ + load<std::uint32_t>(p + 24) * record_unit;
  made.postings_end = at + 1 == runs_ ? postings_ : load<std::uint32_t>(p + index_row_bytes + 20);
  return made;
}

std::uint32_t segment_index_view::first_of(stream_id stream) const noexcept {
  std::uint32_t low = 0;
  std::uint32_t high = runs_;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    if (run(middle).stream < stream)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

std::uint64_t segment_index_view::posting(std::uint32_t at) const noexcept {
  return base_ + load<std::uint32_t>(posting_bytes_.data() + at * posting_bytes) * record_unit;
}

segment_step segment_index_view::step(std::uint32_t at) const noexcept {
  const std::byte* p = step_bytes_.data() + at * index_step_bytes;
  return {base_ + load<std::uint32_t>(p) * record_unit, load<std::uint64_t>(p + 8)};
}

// Of the steps before which all is earlier the last.
std::uint64_t segment_index_view::position_at(std::uint64_t time_ns) const noexcept {
  std::uint64_t position = base_ + records_at;
  std::uint32_t low = 0;
  std::uint32_t high = steps_;
  while (low < high) {
    const std::uint32_t middle = low + (high - low) / 2;
    const segment_step one = step(middle);
    if (one.time_ns < time_ns) {
      position = one.position;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return position;
}

// ---- making one --------------------------------------------------------------------------------

segment_scan::segment_scan(const segment_header& of, std::uint64_t end)
    : header_(of),
      key_(segment_key(of.journal_id, of.epoch)),
      end_(end),
      at_(std::min(of.base + records_at, end)) {}

void segment_scan::take(bytes_view bytes) {
  const std::uint64_t from = at_;
  const std::uint64_t limit = std::min(end_, from + bytes.size());
  while (at_ + record_header_bytes <= limit) {
    const auto header = decode_record_header(bytes.subspan(at_ - from), key_, at_);
    const std::uint64_t size = header ? record_size(header->body_len) : record_unit;
    if (!header || at_ + size > end_) {
      damaged_ = true;
      at_ += record_unit;
      continue;
    }
    note(*header, at_);
    at_ += size;
  }
  if (at_ + record_header_bytes <= end_) return;
  damaged_ = damaged_ || at_ != end_;
  at_ = end_;
}

void segment_scan::pass_over(std::uint64_t bytes) noexcept {
  damaged_ = true;
  at_ = std::min(end_, align_up(at_ + bytes, record_unit));
}

void segment_scan::note(const record_header& header, std::uint64_t position) {
  const record_head& head = header.head;
  const std::uint64_t offset = position - header_.base;
  if (offset >= next_step_) {
    steps_.push_back({position, latest_ns_});
    next_step_ = (offset / index_step_every + 1) * index_step_every;
  }
  latest_ns_ = std::max(latest_ns_, head.time_ns);
  seen one{head.stream, static_cast<std::uint32_t>(offset / record_unit), head.first_sequence,
           head.count, static_cast<std::uint32_t>(record_size(header.body_len))};
  if (is_definition(head.type)) {
    one.stream = no_stream;
    one.first = ++definitions_;
    one.count = 1;
  } else if (head.type != record_type::block || !numbers_hold(head)) {
    return;
  }
  seen_.push_back(one);
}

buffer_ref segment_scan::encode() {
  std::stable_sort(seen_.begin(), seen_.end(),
                   [](const seen& a, const seen& b) { return a.stream < b.stream; });
  std::vector<seen> rows;  // count and bytes of the whole run
  std::vector<std::uint32_t> first_postings;
  for (std::size_t i = 0; i < seen_.size(); ++i) {
    const seen& one = seen_[i];
    const bool follows = !rows.empty() && rows.back().stream == one.stream &&
                         rows.back().first + rows.back().count == one.first;
    if (!follows) {
      rows.push_back(one);
      first_postings.push_back(static_cast<std::uint32_t>(i));
      continue;
    }
    rows.back().count += one.count;
    rows.back().bytes += one.bytes;
  }
  const std::size_t payload = steps_.size() * index_step_bytes + rows.size() * index_row_bytes +
                              seen_.size() * posting_bytes;
  auto* made = new slab(index_header_bytes + payload);
  made->set_size(index_header_bytes + payload);
  std::byte* p = made->data();
  std::memset(p, 0, index_header_bytes + payload);
  store(p, index_magic);
  store(p + 8, index_version);
  store(p + 12, header_.slot);
  std::memcpy(p + 16, header_.journal_id.data(), header_.journal_id.size());
  store(p + 32, header_.epoch);
  store(p + 40, header_.base);
  store(p + 48, end_);
  store(p + 56, static_cast<std::uint32_t>(steps_.size()));
  store(p + 60, static_cast<std::uint32_t>(rows.size()));
  store(p + 64, static_cast<std::uint32_t>(seen_.size()));
  store(p + 72, latest_ns_);
  std::byte* q = p + index_header_bytes;
  for (const segment_step& one : steps_) {
    store(q, static_cast<std::uint32_t>((one.position - header_.base) / record_unit));
    store(q + 8, one.time_ns);
    q += index_step_bytes;
  }
  for (std::size_t i = 0; i < rows.size(); ++i) {
    store(q, rows[i].stream);
    store(q + 4, rows[i].count);
    store(q + 8, rows[i].first);
    store(q + 16, rows[i].bytes);
    store(q + 20, first_postings[i]);
    store(q + 24, rows[i].unit);
    q += index_row_bytes;
  }
  for (const seen& one : seen_) {
    store(q, one.unit);
    q += posting_bytes;
  }
  store(p + payload_sum_at, payload_sum({p + index_header_bytes, payload}, header_));
  store(p + header_sum_at, checksum({p, header_sum_at}));
  return buffer_ref(made);
}

}  // namespace holdfast
