#include "journal/checkpoint_file.hpp"

#include <algorithm>
#include <cstdio>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::size_t header_sum_at = 120;
constexpr std::size_t segment_row_bytes = segment_header_bytes + 8;
constexpr std::size_t index_row_bytes = 40;
constexpr std::size_t gone_head_bytes = 16;
constexpr std::size_t gone_words_max = 8192;
constexpr std::size_t stream_row_bytes = 24;

std::uint64_t chunk_seed(const checkpoint_header& of, std::uint64_t at) noexcept {
  return segment_key(of.journal_id, of.number) + at;
}

// Collects rows of one kind and cuts them into chunks.
class chunk_maker {
 public:
  chunk_maker(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t& at,
              chunk_kind kind)
      : to_(to), of_(of), at_(at), kind_(kind) {}
  std::byte* row(std::size_t size) {
    if (data_.size() + size > chunk_bytes_max) flush();
    data_.resize(data_.size() + size);
    return data_.data() + data_.size() - size;
  }
  void flush() {
    if (data_.empty()) return;
    const std::size_t before = to_.size();
    append_chunk(to_, of_, at_, kind_, data_);
    at_ += to_.size() - before;
    data_.clear();
  }

 private:
  std::vector<std::byte>& to_;
  const checkpoint_header& of_;
  std::uint64_t& at_;
  chunk_kind kind_;
  std::vector<std::byte> data_;
};

bool take_segments(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= segment_row_bytes; data = data.subspan(segment_row_bytes)) {
    const auto header = decode_segment_header(data);
    if (!header) return false;
    to.segments.push_back({*header, load<std::uint64_t>(&data[segment_header_bytes])});
  }
  return data.empty();
}

bool take_index(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= index_row_bytes; data = data.subspan(index_row_bytes)) {
    const std::byte* p = data.data();
    index_row row;
    row.position = load<std::uint64_t>(p + 8);
    row.first = load<std::uint64_t>(p + 16);
    row.last = load<std::uint64_t>(p + 24);
    row.bytes = load<std::uint64_t>(p + 32);
    if (row.last < row.first || row.span() > index_span_max) return false;
    to.rows.push_back({load<std::uint32_t>(p), std::move(row)});
  }
  return data.empty();
}

// Words of bits, each with the ordinal of its row and the place of its first word there.
bool take_gone(bytes_view data, checkpoint_content& to) {
  while (data.size() >= gone_head_bytes) {
    const std::size_t ordinal = load<std::uint32_t>(data.data());
    const std::uint64_t words = load<std::uint32_t>(&data[4]);
    const std::uint64_t first = load<std::uint64_t>(&data[8]);
    data = data.subspan(gone_head_bytes);
    if (ordinal >= to.rows.size() || words * 8 > data.size()) return false;
    index_row& row = to.rows[ordinal].row;
    if (first + words > (row.span() + 63) / 64) return false;
    if (!row.gone) row.gone = std::make_unique<bitmap>();
    row.gone->resize(row.span());
    row.gone->load(first, data.first(words * 8));
    data = data.subspan(words * 8);
  }
  return data.empty();
}

void put_gone(chunk_maker& to, std::uint32_t ordinal, const bitmap& gone) {
  const std::span<const std::uint64_t> words = gone.words();
  for (std::size_t at = 0; at < words.size(); at += gone_words_max) {
    const std::size_t count = std::min(gone_words_max, words.size() - at);
    std::byte* p = to.row(gone_head_bytes + count * 8);
    store(p, ordinal);
    store(p + 4, static_cast<std::uint32_t>(count));
    store(p + 8, static_cast<std::uint64_t>(at));
    for (std::size_t i = 0; i < count; ++i) store(p + gone_head_bytes + i * 8, words[at + i]);
  }
}

bool take_streams(bytes_view data, checkpoint_content& to) {
  for (; data.size() >= stream_row_bytes; data = data.subspan(stream_row_bytes)) {
    const std::byte* p = data.data();
    to.streams.push_back(
        {load<std::uint32_t>(p), load<std::uint64_t>(p + 8), load<std::uint64_t>(p + 16)});
  }
  return data.empty();
}

bool take_chunk(chunk_kind kind, bytes_view data, checkpoint_content& to) {
  switch (kind) {
    case chunk_kind::segments: return take_segments(data, to);
    case chunk_kind::index: return take_index(data, to);
    case chunk_kind::gone: return take_gone(data, to);
    case chunk_kind::streams: return take_streams(data, to);
    case chunk_kind::rows:
      to.pattern_rows.insert(to.pattern_rows.end(), data.begin(), data.end());
      return true;
    case chunk_kind::end: return true;
  }
  return true;  // a kind of a later version: its rows are not needed to be correct
}

bool take_header(bytes_view file, checkpoint_header& to) {
  if (file.size() < checkpoint_header_bytes) return false;
  const std::byte* p = file.data();
  if (load<std::uint64_t>(p) != checkpoint_magic || load<std::uint32_t>(p + 8) != format_version ||
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

}  // namespace

void encode_checkpoint_header(const checkpoint_header& from,
                              std::span<std::byte, checkpoint_header_bytes> to) noexcept {
  std::memset(to.data(), 0, to.size());
  store(&to[0], checkpoint_magic);
  store(&to[8], format_version);
  std::memcpy(&to[16], from.journal_id.data(), 16);
  store(&to[32], from.number);
  store(&to[40], from.position);
  store(&to[48], from.epoch);
  store(&to[56], from.time_ns);
  std::memcpy(&to[64], from.boot_id.data(), 16);
  store(&to[header_sum_at], checksum(to.first(header_sum_at)));
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

void append_own_chunks(std::vector<std::byte>& to, const checkpoint_header& of, std::uint64_t at,
                       const segment_table& segments, const block_index& index) {
  chunk_maker table(to, of, at, chunk_kind::segments);
  for (const auto& s : segments.all()) {
    if (!s->in_log) continue;
    std::byte* p = table.row(segment_row_bytes);
    encode_segment_header(s->header,
                          std::span<std::byte, segment_header_bytes>(p, segment_header_bytes));
    store(p + segment_header_bytes, s->end);
  }
  table.flush();
  chunk_maker streams(to, of, at, chunk_kind::streams);
  chunk_maker rows(to, of, at, chunk_kind::index);
  for (const auto& [stream, known] : index.streams()) {
    std::byte* p = streams.row(stream_row_bytes);
    store(p, stream);
    store(p + 8, known.floor);
    store(p + 16, known.next);
  }
  streams.flush();
  for (const auto& [stream, known] : index.streams()) {
    for (const index_row& row : known.rows) {
      std::byte* p = rows.row(index_row_bytes);
      store(p, stream);
      store(p + 8, row.position);
      store(p + 16, row.first);
      store(p + 24, row.last);
      store(p + 32, row.bytes);
    }
  }
  rows.flush();
  chunk_maker gone(to, of, at, chunk_kind::gone);
  std::uint32_t ordinal = 0;
  for (const auto& [stream, known] : index.streams()) {
    for (const index_row& row : known.rows) {
      if (row.gone) put_gone(gone, ordinal, *row.gone);
      ++ordinal;
    }
  }
  gone.flush();
}

result<checkpoint_content> parse_checkpoint(bytes_view file, const std::string& name) {
  const auto bad = [&](const char* what) {
    return status{errc::corrupt, name + ": " + what + "; an older checkpoint or the log is used"};
  };
  checkpoint_content to;
  if (!take_header(file, to.header)) return bad("the header is damaged");
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
    if (checksum(data) != load<std::uint64_t>(p + 16) || !take_chunk(kind, data, to))
      return bad("a chunk is damaged");
    at += align_up(chunk_header_bytes + size, record_unit);
    if (kind != chunk_kind::end) continue;
    to.size = at;
    return to;
  }
  return bad("the end is missing");
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
