#include "tests/journal/history.hpp"

#include <algorithm>
#include <tuple>

#include "base/checksum.hpp"

namespace holdfast::testing {
namespace {

auto fields(const record_head& h) {
  return std::make_tuple(h.type, h.flags, h.count, h.stream, h.first_sequence, h.time_ns,
                         h.body_sum, h.producer, h.body_format, h.props_mask, h.need,
                         h.producer_number);
}

// Rows differ in length, so that checkpoints do.
std::size_t rows_size(std::size_t records) {
  return 16 + records * 37 % 5000;
}

std::string number(std::uint64_t n) {
  return std::to_string(n);
}

}  // namespace

void history::add(const append_item& item) {
  const record_head& head = item.head;
  if (head.type == record_type::group_ack) acks_.push_back(size());
  if (head.type == record_type::block) blocks_[head.stream].push_back(size());
  std::array<std::byte, 32> mark{};
  store(&mark[0], sums_.empty() ? std::uint64_t{0} : sums_.back());
  store(&mark[8], head.body_sum);
  store(&mark[16], head.first_sequence);
  store(&mark[24], head.stream);
  sums_.push_back(checksum(mark));
  records_.push_back(item);
}

void history::cut(std::size_t total) {
  records_.resize(total);
  sums_.resize(total);
  const auto beyond = [total](std::size_t at) { return at >= total; };
  std::erase_if(acks_, beyond);
  for (auto& of : blocks_) std::erase_if(of, beyond);
}

history::places history::places_at(std::size_t total) const {
  places all;
  for (const std::size_t at : acks_) {
    if (at >= total) break;
    const record_head& head = records_[at].head;
    place& of = all[head.stream];
    if (head.count == 0)
      of.floor = std::max(of.floor, head.first_sequence);
    else
      of.settled.push_back({head.first_sequence, head.count});
  }
  for (std::size_t s = 1; s <= streams; ++s) {
    const auto end = std::lower_bound(blocks_[s].begin(), blocks_[s].end(), total);
    if (end != blocks_[s].begin()) {
      const record_head& last = records_[*std::prev(end)].head;
      all[s].next = last.first_sequence + last.count;
    }
    std::erase_if(all[s].settled, [&](range r) { return r.end() <= all[s].floor; });
  }
  return all;
}

range history::block_at_or_behind(stream_id stream, std::uint64_t from) const {
  for (const std::size_t at : blocks_[stream])
    if (records_[at].head.first_sequence >= from)
      return {records_[at].head.first_sequence, records_[at].head.count};
  return {};
}

std::vector<std::byte> history::rows() const {
  std::vector<std::byte> made(rows_size(size()), std::byte{0x5a});
  store(&made[0], std::uint64_t{size()});
  store(&made[8], sums_.empty() ? std::uint64_t{0} : sums_.back());
  return made;
}

std::string history::compare_rows(bytes_view rows, std::size_t& total) const {
  total = 0;
  if (rows.empty()) return {};
  if (rows.size() < 16) return "the checkpoint's rows are cut short";
  total = load<std::uint64_t>(rows.data());
  if (total > size()) return "the checkpoint knows records that were never submitted";
  const std::uint64_t sum = total == 0 ? 0 : sums_[total - 1];
  if (rows.size() != rows_size(total) || load<std::uint64_t>(&rows[8]) != sum ||
      !std::all_of(rows.begin() + 16, rows.end(), [](std::byte b) { return b == std::byte{0x5a}; }))
    return "the checkpoint's rows are not those that were given";
  return {};
}

bool history::same(const record_view& found, std::size_t at) const {
  if (at >= size()) return false;
  const append_item& want = records_[at];
  return fields(found.head) == fields(want.head) && found.body.size() == want.body.size() &&
         std::equal(found.body.begin(), found.body.end(), want.body.data());
}

std::string history::compare_end(std::size_t total, std::size_t must,
                                 const open_report& report) const {
  if (total < must) return "accepted " + number(must) + ", recovered " + number(total);
  if (total > 0 && (records_[total - 1].head.flags & record_flag::batch_more) != 0)
    return "half a batch recovered";
  if (report.checkpoint_damaged) return "a checkpoint in force cannot be read";
  if (report.damaged.empty()) return {};
  const damage& d = report.damaged[0];
  return "damage reported where there is none: kind " + number(static_cast<unsigned>(d.what)) +
         " at " + number(d.position) + " size " + number(d.size) + ", tail " + number(report.tail) +
         ", watermark " + number(report.watermark) + ", checkpoint " + number(report.checkpoint);
}

history::finding history::check(virtual_disk& disk, const journal_options& options,
                                std::size_t must, const hooks& then) const {
  disk.set_auto_complete(true);
  open_report report;
  result<std::unique_ptr<journal>> log = open_journal(disk.mount(), options, report);
  if (!log) return {"open: " + std::string(log.text())};
  std::size_t total = 0;
  std::string wrong = compare_rows((*log)->checkpoint_rows(), total);
  if (!wrong.empty()) return {wrong};
  const status replayed = (*log)->replay([&](std::span<const record_view> batch) {
    for (const record_view& r : batch) {
      if (wrong.empty() && !same(r, total))
        wrong = "record " + number(total) + ", at " + number(r.position) +
                ", is not what was submitted";
      ++total;
    }
  });
  if (!replayed.ok()) return {"replay: " + std::string(replayed.text())};
  if (wrong.empty()) wrong = compare_end(total, must, report);
  if (!wrong.empty()) return {wrong, total};
  if (then.opened) then.opened(total);
  wrong = read_live(**log, total);
  if (wrong.empty() && then.compared) then.compared(**log, total);
  return {wrong, total};
}

std::string history::read_live(journal& log, std::size_t total) const {
  const places all = places_at(total);
  for (stream_id s = 1; s <= streams; ++s) {
    log.trim(s, all[s].floor);
    log.settle(s, all[s].settled);
  }
  for (stream_id s = 1; s <= streams; ++s) {
    std::string wrong = read_stream(log, s, all[s], total);
    if (!wrong.empty()) return wrong;
  }
  return {};
}

std::string history::read_stream(journal& log, stream_id stream, const place& at,
                                 std::size_t total) const {
  const auto& blocks = blocks_[stream];
  auto want = std::find_if(blocks.begin(), blocks.end(), [&](std::size_t i) {
    return records_[i].head.first_sequence + records_[i].head.count > at.floor;
  });
  const auto finished = [&](const record_head& h) {
    return std::any_of(at.settled.begin(), at.settled.end(),
                       [&](range r) { return r.first == h.first_sequence && r.count == h.count; });
  };
  const std::string where = "stream " + number(stream) + ": ";
  std::uint64_t from = at.floor;
  std::vector<block> got;
  int pending = 0;
  while (want != blocks.end() && *want < total) {
    const append_item& next = records_[*want];
    got.clear();
    const fetched f = log.read(stream, from, {64, 64 << 10}, got);
    if (f.outcome == fetch::pending && ++pending < 1000) {
      log.progress();
      continue;
    }
    if (f.outcome == fetch::gap && finished(next.head)) {
      from = next.head.first_sequence + next.head.count;
      ++want;
      continue;
    }
    if (f.outcome != fetch::ok)
      return where + "message " + number(from) + " is live and cannot be read";
    for (const block& b : got) {
      if (want == blocks.end()) return where + "more is read than was submitted";
      const append_item& must_be = records_[*want++];
      if (b.first != must_be.head.first_sequence || b.count != must_be.head.count ||
          !std::equal(b.body.bytes().begin(), b.body.bytes().end(), must_be.body.bytes().begin(),
                      must_be.body.bytes().end()))
        return where + "wrong bytes read at " + number(b.first);
      from = b.first + b.count;
    }
  }
  return {};
}

}  // namespace holdfast::testing
