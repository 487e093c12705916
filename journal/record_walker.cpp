#include "journal/record_walker.hpp"

#include <algorithm>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t window_bytes = 1ull << 20;
constexpr std::uint64_t sector = 512;  // what cannot be read is at least one

}  // namespace

record_walker::record_walker(segment_bytes_reader read, std::uint64_t base, std::uint64_t key,
                             std::uint64_t from, std::uint64_t to)
    : read_(std::move(read)), base_(base), key_(key), at_(from), to_(to) {}

bool record_walker::in_window(std::uint64_t position, std::uint64_t size) const noexcept {
  return position >= window_at_ && position + size <= window_at_ + window_.size();
}

// Empty if it lies beyond the end or cannot be read.
bytes_view record_walker::bytes_at(std::uint64_t position, std::uint64_t size) {
  if (size > to_ || position > to_ - size) return {};
  if (!in_window(position, size)) {
    // One unreadable sector must not hide a whole window: near one, only what was asked for.
    const bool narrow = position < narrow_until_;
    window_.resize(narrow ? size : std::min(std::max(window_bytes, size), to_ - position));
    window_at_ = position;
    if (!read_(position - base_, window_).ok()) {
      const std::uint64_t wide = window_.size();
      if (!narrow) narrow_until_ = position + wide;
      window_.resize(size);
      if (wide == size || !read_(position - base_, window_).ok()) {
        window_.clear();
        return {};
      }
    }
  }
  return bytes_view(window_).subspan(position - window_at_, size);
}

walked record_walker::look(std::uint64_t position) {
  walked found;
  found.position = position;
  if (position + record_header_bytes > to_) return found;
  found.what = verdict::bad_header;
  const bytes_view head = bytes_at(position, record_header_bytes);
  const auto header = decode_record_header(head, key_, position);
  if (!header || position + record_size(header->body_len) > to_) return found;
  found.header = *header;
  found.size = record_size(header->body_len);
  found.bytes = bytes_at(position, record_header_bytes + header->body_len);
  found.what = verdict::bad_body;
  if (found.bytes.empty()) return found;
  found.body = found.bytes.subspan(record_header_bytes);
  if (checksum(found.body) == header->head.body_sum) found.what = verdict::good;
  return found;
}

walked record_walker::next() {
  walked found = look(at_);
  if (found.what == verdict::good || found.what == verdict::bad_body) at_ += found.size;
  return found;
}

bool record_walker::resync() {
  while (at_ + record_header_bytes <= to_) {
    const bytes_view head = bytes_at(at_, record_header_bytes);
    if (head.empty()) {
      at_ = align_up(at_ + 1, sector);
      continue;
    }
    // Most of what is walked here is unwritten space: type 0 is no record.
    if (head[8] != std::byte{0} && look(at_).what == verdict::good) return true;
    at_ += record_unit;
  }
  at_ = to_;
  return false;
}

bool record_walker::buffered() {
  if (!in_window(at_, record_header_bytes)) return false;
  const auto header = decode_record_header(bytes_at(at_, record_header_bytes), key_, at_);
  return header && in_window(at_, record_header_bytes + header->body_len);
}

}  // namespace holdfast
