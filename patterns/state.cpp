#include "patterns/state.hpp"

#include "base/check.hpp"

namespace holdfast {

// Row: u32 length of what follows, u8 kind, u64 as_of, fields.
void state_writer::begin(row_kind kind) {
  row_start_ = bytes_.size();
  u32(0);
  u8(static_cast<std::uint8_t>(kind));
  u64(as_of_);
}

void state_writer::end() {
  store(bytes_.data() + row_start_, static_cast<std::uint32_t>(bytes_.size() - row_start_ - 4));
}

void state_writer::text(std::string_view v) {
  check(v.size() <= 0xffff, "a text in a checkpoint row is at most 65 535 bytes");
  u16(static_cast<std::uint16_t>(v.size()));
  put(v.data(), v.size());
}

void state_writer::put(const void* data, std::size_t size) {
  const auto* from = static_cast<const std::byte*>(data);
  bytes_.insert(bytes_.end(), from, from + size);
}

bool state_reader::next() noexcept {
  if (rows_.size() - at_ < 4 + 1 + 8) return false;
  const std::size_t length = load<std::uint32_t>(rows_.data() + at_);
  if (length < 1 + 8 || length > rows_.size() - at_ - 4) {
    failed_ = true;
    return false;
  }
  row_ = rows_.subspan(at_ + 4, length);
  at_ += 4 + length;
  kind_ = static_cast<row_kind>(u8());
  as_of_ = u64();
  return true;
}

std::string_view state_reader::text() noexcept {
  const bytes_view taken = raw(u16());
  return {reinterpret_cast<const char*>(taken.data()), taken.size()};
}

bytes_view state_reader::raw(std::size_t size) noexcept {
  if (size > row_.size()) {
    failed_ = true;
    row_ = {};
    return {};
  }
  const bytes_view taken = row_.first(size);
  row_ = row_.subspan(size);
  return taken;
}

}  // namespace holdfast
