#include "journal/segment_copy.hpp"

#include <algorithm>
#include <array>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::size_t piece_bytes = 1 << 20;

void count(const walked& found, record_totals& to) {
  const record_head& head = found.header.head;
  to.records += 1;
  to.messages += head.type == record_type::block ? head.count : 0;
  to.bytes += found.size;
}

damage damage_of(const walked& found) {
  const record_head& head = found.header.head;
  damage row{damage_kind::body, found.position, found.size, no_stream, {}};
  if (head.type != record_type::block) return row;
  row.stream = head.stream;
  row.messages = {head.first_sequence, head.count};
  return row;
}

}  // namespace

std::optional<segment_header> read_segment_header(const tool_file& file) {
  std::array<std::byte, segment_header_bytes> bytes{};
  for (const std::uint64_t at : {std::uint64_t{0}, segment_header_copy_at}) {
    if (!file.is_open() || !file.read(at, bytes)) continue;
    if (auto header = decode_segment_header(bytes)) return header;
  }
  return {};
}

void record_totals::add(const record_totals& more) {
  records += more.records;
  messages += more.messages;
  bytes += more.bytes;
  damaged.insert(damaged.end(), more.damaged.begin(), more.damaged.end());
}

segment_copy::segment_copy(std::string from, const segment_header& header, std::string to)
    : from_(std::move(from)),
      header_(header),
      key_(segment_key(header.journal_id, header.epoch)),
      to_(std::move(to)),
      end_(header.base + records_at) {}

// in_ stays closed where the file is gone.
status segment_copy::open() {
  if (!in_.is_open()) in_ = tool_file(from_, tool_file::how::read);
  if (status opened = in_.opened(); !opened && opened.kind() != errc::not_found) return opened;
  if (!out_.is_open()) out_ = tool_file(to_, tool_file::how::create);
  return out_.opened();
}

// A journal may have more segments than a process may have files.
void segment_copy::close() {
  in_ = {};
  out_ = {};
}

// A header that cannot be read says nothing: the records themselves tell whose they are.
bool segment_copy::same_segment() {
  const auto now = read_segment_header(in_);
  return !now || (now->base == header_.base && now->epoch == header_.epoch &&
                  now->journal_id == header_.journal_id);
}

record_walker segment_copy::walk(const tool_file& file, std::uint64_t to) const {
  return record_walker(
      [&file](std::uint64_t offset, std::span<std::byte> into) {
        return file.read(offset, into) ? status{} : status{errc::io, "short read"};
      },
      header_.base, key_, end_, to);
}

status segment_copy::take(const walked& found) {
  const std::uint64_t offset = pending_.size();
  pending_.resize(offset + found.size);
  std::memcpy(&pending_[offset], found.bytes.data(), found.bytes.size());
  end_ += found.size;
  watermark_ =
      std::max(watermark_, found.position - std::min(found.position, found.header.durable_delta));
  proven_ = found.header.head.type == record_type::watermark;
  count(found, totals_);
  return pending_.size() < piece_bytes ? status{} : flush();
}

status segment_copy::flush() {
  if (pending_.empty()) return {};
  status put = out_.write(end_ - pending_.size() - header_.base, pending_);
  pending_.clear();
  return put;
}

result<segment_copy::outcome> segment_copy::copy_on() {
  if (status opened = open(); !opened) return opened;
  if (!in_.is_open()) return outcome::gone;
  record_walker walker = walk(in_, limit());
  for (;;) {
    const walked found = walker.next();
    if (found.what != verdict::good) break;
    if (status taken = take(found); !taken) return taken;
  }
  if (status put = flush(); !put) return put;
  return same_segment() ? outcome::stuck : outcome::gone;
}

result<segment_copy::outcome> segment_copy::copy_to(std::uint64_t end) {
  if (end_ > end)
    if (status cut = cut_to(end); !cut) return cut;
  while (end_ < end) {
    const std::uint64_t before = end_;
    if (status opened = open(); !opened) return opened;
    if (!in_.is_open()) return outcome::gone;
    record_walker walker = walk(in_, end);
    walked found = walker.next();
    for (; found.what == verdict::good; found = walker.next())
      if (status taken = take(found); !taken) return taken;
    if (status put = flush(); !put) return put;
    if (end_ == end) break;
    if (!same_segment()) return outcome::gone;
    if (end_ != before) continue;  // it was read while it was written: once more
    if (found.what != verdict::bad_body) walker.resync();
    auto copied = copy_damaged(walker.position());
    if (!copied || *copied == outcome::gone) return copied;
    if (found.what == verdict::bad_body) totals_.damaged.back() = damage_of(found);
  }
  close();
  return outcome::reached;
}

result<segment_copy::outcome> segment_copy::copy_damaged(std::uint64_t to) {
  std::vector<std::byte> sector(512);
  totals_.damaged.push_back({damage_kind::header, end_, to - end_, no_stream, {}});
  while (end_ < to) {
    const std::uint64_t offset = end_ - header_.base;
    const std::uint64_t part = std::min(to - end_, sector.size() - offset % sector.size());
    const std::span<std::byte> bytes(sector.data(), part);
    // What the disk does not give back is left zero.
    if (in_.read(offset, bytes))
      if (status put = out_.write(offset, bytes); !put) return put;
    end_ += part;
  }
  proven_ = false;
  return same_segment() ? outcome::reached : outcome::gone;
}

segment_copy::beyond segment_copy::look_beyond() {
  beyond seen;
  if (!in_.is_open()) return seen;
  record_walker walker = walk(in_, limit());
  while (walker.resync()) {
    const walked found = walker.next();
    if (seen.next == 0) seen.next = found.position;
    seen.watermark = std::max(
        seen.watermark, found.position - std::min(found.position, found.header.durable_delta));
  }
  return seen;
}

status segment_copy::cut_to(std::uint64_t limit) {
  if (status opened = open(); !opened) return opened;
  const std::uint64_t copied = std::exchange(end_, header_.base + records_at);
  const std::uint64_t to = std::min(limit, copied);
  const record_totals all = std::exchange(totals_, {});
  record_totals seen;
  std::uint64_t safe = end_;
  proven_ = false;
  record_walker walker = walk(out_, to);
  while (walker.position() < to) {
    const walked found = walker.next();
    const bool good = found.what == verdict::good;
    if (good) count(found, seen);
    if (!good && found.what != verdict::bad_body) walker.resync();
    if ((found.header.head.flags & record_flag::batch_more) != 0) continue;
    safe = walker.position();
    totals_ = seen;
    proven_ = good && found.header.head.type == record_type::watermark;
  }
  for (const damage& row : all.damaged)
    if (row.position + row.size <= safe) totals_.damaged.push_back(row);
  end_ = safe;
  return end_ == copied ? status{} : out_.cut(end_ - header_.base);
}

status segment_copy::prove(std::uint64_t time_ns) {
  if (proven_ || limit() - end_ < record_header_bytes) return {};
  record_header made;
  made.head.type = record_type::watermark;
  made.head.time_ns = time_ns;
  made.head.body_sum = checksum({});
  std::array<std::byte, record_header_bytes> bytes{};
  encode_record_header(made, key_, end_, bytes);
  if (status opened = open(); !opened) return opened;
  if (status put = out_.write(end_ - header_.base, bytes); !put) return put;
  end_ += bytes.size();
  totals_.records += 1;
  totals_.bytes += bytes.size();
  proven_ = true;
  return {};
}

status segment_copy::finish(const segment_header& header) {
  if (status opened = open(); !opened) return opened;
  for (const std::uint64_t at : {std::uint64_t{0}, segment_header_copy_at})
    if (status put = out_.write(at, encode_segment_header(header)); !put) return put;
  if (status made = out_.allocate(header.size); !made) return made;
  status synced = out_.sync();
  close();
  return synced;
}

}  // namespace holdfast
