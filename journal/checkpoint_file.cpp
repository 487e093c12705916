#include "journal/checkpoint_file.hpp"

#include <algorithm>
#include <cstdio>

#include "base/checksum.hpp"
#include "journal/bitmap.hpp"

namespace holdfast {
namespace {

constexpr std::size_t header_sum_at = 120;
/// Messages of one stream in one segment: it holds no more entries.
constexpr std::uint64_t finished_run_max = 0xffff'ffffULL;
constexpr std::size_t old_index_row_bytes = 40;
constexpr std::size_t old_gone_head_bytes = 16;

std::uint64_t chunk_seed(const checkpoint_header& of, std::uint64_t at) noexcept {
  return segment_key(of.journal_id, of.number) + at;
}

bool take_segments(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= segment_row_bytes; data = data.subspan(segment_row_bytes)) {
    const auto header = decode_segment_header(data);
    if (!header) return false;
    to.segments.push_back({*header, load<std::uint64_t>(&data[segment_header_bytes])});
  }
  return data.empty();
}

bool take_indexed(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= 8; data = data.subspan(8))
    to.indexed.push_back(load<std::uint64_t>(data.data()));
  return data.empty();
}

bool take_places(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= place_row_bytes; data = data.subspan(place_row_bytes)) {
    const std::byte* p = data.data();
    index_row row;
    row.span = load<std::uint32_t>(p + 4);
    row.position = load<std::uint64_t>(p + 8);
    row.first = load<std::uint64_t>(p + 16);
    row.count = load<std::uint32_t>(p + 24);
    row.bytes = load<std::uint32_t>(p + 28);
    if (row.span == 0 || row.end() < row.first) return false;
    to.rows.push_back({load<std::uint32_t>(p), row});
  }
  return data.empty();
}

bool take_finished(bytes_view data, checkpoint_content& to) {
  while (data.size() >= finished_head_bytes) {
    listed_finished row;
    row.stream = load<std::uint32_t>(data.data());
    const std::uint64_t words = load<std::uint32_t>(&data[4]);
    row.first = load<std::uint64_t>(&data[8]);
    row.whole = load<std::uint64_t>(&data[16]);
    data = data.subspan(finished_head_bytes);
    if (words * 8 > data.size() || row.whole > finished_run_max ||
        row.first + row.whole + words * 64 < row.first)
      return false;
    row.words.resize(words);
    if (words != 0) std::memcpy(row.words.data(), data.data(), words * 8);
    data = data.subspan(words * 8);
    to.finished.push_back(std::move(row));
  }
  return data.empty();
}

bool take_streams(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= stream_row_bytes; data = data.subspan(stream_row_bytes)) {
    const std::byte* p = data.data();
    to.streams.push_back(
        {load<std::uint32_t>(p), load<std::uint64_t>(p + 8), load<std::uint64_t>(p + 16)});
  }
  return data.empty();
}

// Kinds 2 and 4 of version 1: rows and, of some, a bit a message that is finished or elsewhere.
class old_rows {
 public:
  bool take_index(bytes_view data);
  bool take_gone(bytes_view data);
  void give(checkpoint_content& to) const;

 private:
  struct old_row {
    stream_id stream = no_stream;
    index_row row;
    bitmap gone;
  };
  std::vector<old_row> rows_;
};

bool old_rows::take_index(bytes_view data) {
  for (; data.size() >= old_index_row_bytes; data = data.subspan(old_index_row_bytes)) {
    const std::byte* p = data.data();
    const auto last = load<std::uint64_t>(p + 24);
    old_row made;
    made.stream = load<std::uint32_t>(p);
    made.row.position = load<std::uint64_t>(p + 8);
    made.row.first = load<std::uint64_t>(p + 16);
    if (last < made.row.first || last - made.row.first >= finished_run_max) return false;
    made.row.span = made.row.count = static_cast<std::uint32_t>(last + 1 - made.row.first);
    made.row.bytes = static_cast<std::uint32_t>(load<std::uint64_t>(p + 32));
    rows_.push_back(std::move(made));
  }
  return data.empty();
}

// Words of bits, each with the ordinal of its row and the place of its first word there.
bool old_rows::take_gone(bytes_view data) {
  while (data.size() >= old_gone_head_bytes) {
    const std::size_t ordinal = load<std::uint32_t>(data.data());
    const std::uint64_t words = load<std::uint32_t>(&data[4]);
    const std::uint64_t first = load<std::uint64_t>(&data[8]);
    data = data.subspan(old_gone_head_bytes);
    if (ordinal >= rows_.size() || words * 8 > data.size()) return false;
    old_row& of = rows_[ordinal];
    if (first > of.row.span || first + words > (of.row.span + 63ull) / 64) return false;
    of.gone.resize(of.row.span);
    of.gone.load(first, data.first(words * 8));
    data = data.subspan(words * 8);
  }
  return data.empty();
}

// What is gone from one row may be live in another.
void old_rows::give(checkpoint_content& to) const {
  for (const old_row& of : rows_) {
    const index_row& row = of.row;
    if (of.gone.size() == 0) {
      to.rows.push_back({of.stream, row});
      to.live.push_back({of.stream, {row.first, row.span}});
      continue;
    }
    for (std::size_t at = 0; at < row.span;) {
      const std::size_t live = of.gone.find(false, at, row.span);
      if (live > at) to.finished.push_back({of.stream, row.first + at, live - at, {}});
      at = of.gone.find(true, live, row.span);
      if (live == at) continue;
      index_row part = row;
      part.first = row.first + live;
      part.span = part.count = static_cast<std::uint32_t>(at - live);
      part.bytes = static_cast<std::uint32_t>(std::uint64_t{row.bytes} * part.span / row.span);
      to.rows.push_back({of.stream, part});
      to.live.push_back({of.stream, {part.first, part.span}});
    }
  }
}

bool take_chunk(chunk_kind kind, bytes_view data, checkpoint_content& to, old_rows& old) {
  switch (kind) {
    case chunk_kind::segments: return take_segments(data, to);
    case chunk_kind::old_index: return old.take_index(data);
    case chunk_kind::old_gone: return old.take_gone(data);
    case chunk_kind::streams: return take_streams(data, to);
    case chunk_kind::indexed: return take_indexed(data, to);
    case chunk_kind::places: return take_places(data, to);
    case chunk_kind::finished: return take_finished(data, to);
    case chunk_kind::rows:
      to.pattern_rows.insert(to.pattern_rows.end(), data.begin(), data.end());
      return true;
    case chunk_kind::end: return true;
  }
  return true;  // a kind of a later version: its rows are not needed to be correct
}

}  // namespace

void encode_checkpoint_header(const checkpoint_header& from,
                              std::span<std::byte, checkpoint_header_bytes> to) noexcept {
  std::memset(to.data(), 0, to.size());
  store(&to[0], checkpoint_magic);
  store(&to[8], checkpoint_version);
  std::memcpy(&to[16], from.journal_id.data(), 16);
  store(&to[32], from.number);
  store(&to[40], from.position);
  store(&to[48], from.epoch);
  store(&to[56], from.time_ns);
  std::memcpy(&to[64], from.boot_id.data(), 16);
  store(&to[header_sum_at], checksum(to.first(header_sum_at)));
}

bool decode_checkpoint_header(bytes_view file, checkpoint_header& to) {
  if (file.size() < checkpoint_header_bytes) return false;
  const std::byte* p = file.data();
  const auto version = load<std::uint32_t>(p + 8);
  if (load<std::uint64_t>(p) != checkpoint_magic || version == 0 || version > checkpoint_version ||
      load<std::uint64_t>(p + header_sum_at) != checksum(file.first(header_sum_at)))
    return false;
  std::memcpy(to.journal_id.data(), p + 16, 16);
  to.number = load<std::uint64_t>(p + 32);
  to.position = load<std::uint64_t>(p + 40);
  to.epoch = load<std::uint64_t>(p + 48);
  to.time_ns = load<std::uint64_t>(p + 56);
  std::memcpy(to.boot_id.data(), p + 64, 16);
  return true;
}

void append_chunk(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at,
                  chunk_kind kind, bytes_view data) {
  const std::size_t start = to.size();
  to.resize(start + align_up(chunk_header_bytes + data.size(), record_unit));
  std::byte* p = &to[start];
  store(p + 8, static_cast<std::uint32_t>(kind));
  store(p + 12, static_cast<std::uint32_t>(data.size()));
  store(p + 16, checksum(data));
  if (!data.empty()) std::memcpy(p + chunk_header_bytes, data.data(), data.size());
  store(p, checksum({p + 8, chunk_header_bytes - 8}, chunk_seed(of, at)));
}

std::byte* chunk_maker::row(std::size_t size) {
  if (data_.size() + size > chunk_bytes_max) flush();
  data_.resize(data_.size() + size);
  return data_.data() + data_.size() - size;
}

void chunk_maker::flush() {
  if (data_.empty()) return;
  const std::size_t before = to_.size();
  append_chunk(to_, of_, at_, kind_, data_);
  at_ += to_.size() - before;
  data_.clear();
}

namespace {

// Walks chunks whose sums may be wrong. Where it ended; at the end chunk if `ended`.
template <typename Take>
std::uint64_t walk_chunks(bytes_view file, bool& ended, Take take) {
  std::uint64_t at = checkpoint_header_bytes;
  ended = false;
  while (!ended && at + chunk_header_bytes <= file.size()) {
    const auto kind = static_cast<chunk_kind>(load<std::uint32_t>(&file[at + 8]));
    const std::uint64_t size = load<std::uint32_t>(&file[at + 12]);
    take(kind, size);
    at += align_up(chunk_header_bytes + size, record_unit);
    ended = kind == chunk_kind::end;
  }
  return at;
}

std::uint64_t bytes_of_kind(bytes_view file, chunk_kind wanted) {
  std::uint64_t sum = 0;
  bool ended = false;
  walk_chunks(file, ended, [&](chunk_kind kind, std::uint64_t size) {
    if (kind == wanted) sum += size;
  });
  return std::min<std::uint64_t>(sum, file.size());
}

}  // namespace

std::uint64_t checkpoint_bytes_wanted(bytes_view file, std::uint64_t ahead) {
  bool ended = false;
  const std::uint64_t at = walk_chunks(file, ended, [](chunk_kind, std::uint64_t) {});
  return ended ? at : std::max<std::uint64_t>(at, file.size()) + ahead;
}

result<checkpoint_content> parse_checkpoint(bytes_view file, const std::string& name) {
  const auto bad = [&](const char* what) {
    return status{errc::corrupt, name + ": " + what + "; an older checkpoint or the log is used"};
  };
  checkpoint_content to;
  if (!decode_checkpoint_header(file, to.header)) return bad("the header is damaged");
  to.pattern_rows.reserve(bytes_of_kind(file, chunk_kind::rows));
  old_rows old;
  std::uint64_t at = checkpoint_header_bytes;
  while (at + chunk_header_bytes <= file.size()) {
    const std::byte* p = &file[at];
    if (load<std::uint64_t>(p) !=
        checksum({p + 8, chunk_header_bytes - 8}, chunk_seed(to.header, at)))
      return bad("a chunk's header is damaged");
    const auto kind = static_cast<chunk_kind>(load<std::uint32_t>(p + 8));
    const std::uint64_t size = load<std::uint32_t>(p + 12);
    if (size > file.size() - at - chunk_header_bytes) return bad("a chunk is cut short");
    const bytes_view data = file.subspan(at + chunk_header_bytes, size);
    if (checksum(data) != load<std::uint64_t>(p + 16) || !take_chunk(kind, data, to, old))
      return bad("a chunk is damaged");
    at += align_up(chunk_header_bytes + size, record_unit);
    if (kind != chunk_kind::end) continue;
    to.size = at;
    old.give(to);
    return to;
  }
  return bad("the end is missing");
}

void restore_index(const checkpoint_content& from, block_index& to) {
  for (const listed_stream& row : from.streams) to.restore_stream(row.stream, row.floor, row.next);
  for (const listed_finished& row : from.finished)
    to.restore_finished(row.stream, row.first, row.whole, row.words);
  for (const listed_live& row : from.live) to.restore_live(row.stream, row.messages);
  for (const listed_row& row : from.rows) to.fill(row.stream, row.row, row.row.position);
}

std::string checkpoint_name(std::uint64_t number) {
  char name[40];
  std::snprintf(name, sizeof name, "checkpoint.%06llu", static_cast<unsigned long long>(number));
  return name;
}

std::int64_t checkpoint_number(const std::string& name) {
  unsigned long long number = 0;
  if (std::sscanf(name.c_str(), "checkpoint.%llu", &number) != 1 || checkpoint_name(number) != name)
    return -1;
  return static_cast<std::int64_t>(number);
}

}  // namespace holdfast
