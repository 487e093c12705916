#include "plugins/json/document.hpp"

#include <bit>

namespace holdfast::json {
namespace {

using kind = item::kind;

void put_head(unsigned first, unsigned bytes, std::uint64_t value, std::string& out) {
  out += static_cast<char>(first);
  for (unsigned i = bytes; i-- > 0;) out += static_cast<char>(value >> (8 * i) & 255);
}

}  // namespace

bool document_reader::number(unsigned bytes, std::uint64_t& into) {
  if (rest_.size() < bytes) return false;
  into = 0;
  for (unsigned i = 0; i < bytes; ++i) into = into << 8 | static_cast<unsigned char>(rest_[i]);
  rest_.remove_prefix(bytes);
  return true;
}

bool document_reader::take(item& into, kind what, std::uint64_t size) {
  if (rest_.size() < size) return false;
  into.what = what;
  into.text = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

bool document_reader::sized(item& into, kind what, unsigned width) {
  std::uint64_t size = 0;
  return number(width, size) && take(into, what, size);
}

bool document_reader::extension(item& into, std::uint64_t size) {
  std::uint64_t type = 0;
  if (!number(1, type)) return false;
  into.type = static_cast<std::int8_t>(type);
  return take(into, kind::extension, size);
}

bool document_reader::next(item& into) {
  into = {};
  if (rest_.empty()) return false;
  const auto first = static_cast<unsigned char>(rest_[0]);
  rest_.remove_prefix(1);
  if (first < 0x80 || (first >= 0x80 && first < 0xa0)) {
    into.what = first < 0x80 ? kind::natural : first < 0x90 ? kind::map : kind::array;
    into.natural = first < 0x80 ? first : first & 15u;
    return true;
  }
  if (first < 0xc0) return take(into, kind::text, first & 31u);
  if (first >= 0xe0) {
    into.what = kind::integer;
    into.integer = static_cast<std::int8_t>(first);
    return true;
  }
  return wide(into, first);
}

// 0xc0 to 0xdf: everything that says its size.
bool document_reader::wide(item& into, unsigned char first) {
  std::uint64_t value = 0;
  switch (first) {
    case 0xc0: return true;
    case 0xc1: return false;
    case 0xc2:
    case 0xc3: into.what = kind::boolean, into.truth = first == 0xc3; return true;
    case 0xc4:
    case 0xc5:
    case 0xc6: return sized(into, kind::bytes, 1u << (first - 0xc4));
    case 0xc7:
    case 0xc8:
    case 0xc9: return number(1u << (first - 0xc7), value) && extension(into, value);
    case 0xca:
      if (!number(4, value)) return false;
      into.what = kind::real;
      into.real = std::bit_cast<float>(static_cast<std::uint32_t>(value));
      return true;
    case 0xcb:
      into.what = kind::real;
      if (!number(8, value)) return false;
      into.real = std::bit_cast<double>(value);
      return true;
    case 0xcc:
    case 0xcd:
    case 0xce:
    case 0xcf: into.what = kind::natural; return number(1u << (first - 0xcc), into.natural);
    case 0xd0:
    case 0xd1:
    case 0xd2:
    case 0xd3: {
      const unsigned bytes = 1u << (first - 0xd0), spare = 64 - 8 * bytes;
      if (!number(bytes, value)) return false;
      const std::int64_t found = static_cast<std::int64_t>(value << spare) >> spare;
      into.what = found < 0 ? kind::integer : kind::natural;
      if (found < 0) into.integer = found;
      if (found >= 0) into.natural = value;
      return true;
    }
    case 0xd9:
    case 0xda:
    case 0xdb: return sized(into, kind::text, 1u << (first - 0xd9));
    case 0xdc:
    case 0xdd: into.what = kind::array; return number(2u << (first - 0xdc), into.natural);
    case 0xde:
    case 0xdf: into.what = kind::map; return number(2u << (first - 0xde), into.natural);
    default: return extension(into, 1u << (first - 0xd4));  // 0xd4 to 0xd8: fixext
  }
}

void put_natural(std::uint64_t value, std::string& out) {
  if (value < 0x80) return put_head(static_cast<unsigned>(value), 0, 0, out);
  if (value < 0x100) return put_head(0xcc, 1, value, out);
  if (value < 0x10000) return put_head(0xcd, 2, value, out);
  if (value < 0x100000000) return put_head(0xce, 4, value, out);
  put_head(0xcf, 8, value, out);
}

void put_integer(std::int64_t value, std::string& out) {
  if (value >= 0) return put_natural(static_cast<std::uint64_t>(value), out);
  const auto bits = static_cast<std::uint64_t>(value);
  if (value >= -32) return put_head(static_cast<unsigned>(bits & 255), 0, 0, out);
  if (value >= -128) return put_head(0xd0, 1, bits, out);
  if (value >= -32768) return put_head(0xd1, 2, bits, out);
  if (value >= -2147483648LL) return put_head(0xd2, 4, bits, out);
  put_head(0xd3, 8, bits, out);
}

void put_real(double value, std::string& out) {
  put_head(0xcb, 8, std::bit_cast<std::uint64_t>(value), out);
}

void put_text(std::string_view text, std::string& out) {
  const std::size_t size = text.size();
  if (size < 32)
    put_head(0xa0 | static_cast<unsigned>(size), 0, 0, out);
  else
    put_head(size < 0x100     ? 0xd9
             : size < 0x10000 ? 0xda
                              : 0xdb,
             size < 0x100     ? 1
             : size < 0x10000 ? 2
                              : 4,
             size, out);
  out += text;
}

void put_bytes(std::string_view bytes, std::string& out) {
  const std::size_t size = bytes.size();
  put_head(size < 0x100     ? 0xc4
           : size < 0x10000 ? 0xc5
                            : 0xc6,
           size < 0x100     ? 1
           : size < 0x10000 ? 2
                            : 4,
           size, out);
  out += bytes;
}

void put_extension(std::int8_t type, std::string_view bytes, std::string& out) {
  const std::size_t size = bytes.size();
  if (size != 0 && size <= 16 && std::has_single_bit(size))
    put_head(0xd4 + static_cast<unsigned>(std::countr_zero(size)), 0, 0, out);
  else
    put_head(size < 0x100     ? 0xc7
             : size < 0x10000 ? 0xc8
                              : 0xc9,
             size < 0x100     ? 1
             : size < 0x10000 ? 2
                              : 4,
             size, out);
  out += static_cast<char>(type);
  out += bytes;
}

void put_array(std::uint32_t count, std::string& out) {
  if (count < 16) return put_head(0x90 | count, 0, 0, out);
  put_head(count < 0x10000 ? 0xdc : 0xdd, count < 0x10000 ? 2 : 4, count, out);
}

void put_map(std::uint32_t count, std::string& out) {
  if (count < 16) return put_head(0x80 | count, 0, 0, out);
  put_head(count < 0x10000 ? 0xde : 0xdf, count < 0x10000 ? 2 : 4, count, out);
}

}  // namespace holdfast::json
