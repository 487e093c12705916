#include "patterns/control_map.hpp"

#include <msgpack.hpp>

#include "base/check.hpp"

namespace holdfast {
namespace {

constexpr std::size_t map_head = frame_prefix_bytes;  // offset of the map's first byte
constexpr std::byte fixmap{0x80};
constexpr unsigned fixmap_fields_max = 15;

struct byte_sink {
  std::vector<std::byte>& to;
  void write(const char* data, std::size_t size) {
    const auto* from = reinterpret_cast<const std::byte*>(data);
    to.insert(to.end(), from, from + size);
  }
};

using packer = msgpack::packer<byte_sink>;

std::uint32_t size32(std::size_t size) {
  return static_cast<std::uint32_t>(size);
}

}  // namespace

control_writer::control_writer(frame_type type, std::uint32_t session) {
  bytes_.reserve(128);
  bytes_.resize(frame_prefix_bytes + 1);
  bytes_[0] = std::byte{'H'};
  bytes_[1] = std::byte{'F'};
  bytes_[2] = std::byte{protocol_major};
  bytes_[3] = static_cast<std::byte>(type);
  store(bytes_.data() + 4, session);
  bytes_[map_head] = fixmap;
}

control_writer& control_writer::number(std::string_view key, std::uint64_t value) {
  begin_field(key);
  byte_sink sink{bytes_};
  packer(sink).pack_uint64(value);
  return *this;
}

control_writer& control_writer::flag(std::string_view key, bool value) {
  begin_field(key);
  byte_sink sink{bytes_};
  value ? packer(sink).pack_true() : packer(sink).pack_false();
  return *this;
}

control_writer& control_writer::text(std::string_view key, std::string_view value) {
  begin_field(key);
  byte_sink sink{bytes_};
  packer(sink).pack_str(size32(value.size())).pack_str_body(value.data(), size32(value.size()));
  return *this;
}

control_writer& control_writer::binary(std::string_view key, bytes_view value) {
  begin_field(key);
  byte_sink sink{bytes_};
  packer(sink)
      .pack_bin(size32(value.size()))
      .pack_bin_body(reinterpret_cast<const char*>(value.data()), size32(value.size()));
  return *this;
}

control_writer& control_writer::ranges(std::string_view key, std::span<const range> value) {
  begin_field(key);
  byte_sink sink{bytes_};
  packer pack(sink);
  pack.pack_array(size32(value.size() * 2));
  for (const range& r : value) pack.pack_uint64(r.first).pack_uint64(r.count);
  return *this;
}

control_writer& control_writer::texts(std::string_view key, std::span<const std::string> value) {
  begin_field(key);
  byte_sink sink{bytes_};
  packer pack(sink);
  pack.pack_array(size32(value.size()));
  for (const std::string& text : value)
    pack.pack_bin(size32(text.size())).pack_bin_body(text.data(), size32(text.size()));
  return *this;
}

void control_writer::begin_field(std::string_view key) {
  const auto fields = std::to_integer<unsigned>(bytes_[map_head] ^ fixmap);
  check(fields < fixmap_fields_max, "a control map has at most 15 fields");
  bytes_[map_head] = fixmap | static_cast<std::byte>(fields + 1);
  byte_sink sink{bytes_};
  packer(sink).pack_str(size32(key.size())).pack_str_body(key.data(), size32(key.size()));
}

// Fed by msgpack-c's parser; returning false stops it. Only the outer map's values and the items of
// an array directly under it are kept.
struct control_visitor : msgpack::null_visitor {
  explicit control_visitor(control_reader& reader) : into(reader) {}

  bool visit_nil() { return scalar(control_reader::kind::other, 0); }
  bool visit_boolean(bool v) { return scalar(control_reader::kind::flag, v); }
  bool visit_positive_integer(std::uint64_t v) { return scalar(control_reader::kind::number, v); }
  bool visit_negative_integer(std::int64_t) { return scalar(control_reader::kind::other, 0); }
  bool visit_float32(float) { return scalar(control_reader::kind::other, 0); }
  bool visit_float64(double) { return scalar(control_reader::kind::other, 0); }
  bool visit_ext(const char*, std::uint32_t) { return scalar(control_reader::kind::other, 0); }
  bool visit_bin(const char* data, std::uint32_t size) { return visit_str(data, size); }
  bool visit_str(const char* data, std::uint32_t size) {
    if (depth == 1 && in_key) {
      if (size > control_key_bytes_max || into.count_ == control_fields_max) return false;
      into.fields_[into.count_++].key = {data, size};
      return true;
    }
    if (!scalar(control_reader::kind::text, 0)) return false;
    if (depth == 1) last().bytes = {data, size};
    if (depth == 2 && item_of(control_reader::kind::texts, into.texts_.size()))
      into.texts_.emplace_back(data, size);
    return true;
  }
  bool start_array(std::uint32_t items) {
    if (depth == 0 || in_key || depth == control_depth_max) return false;
    if (depth == 1) {
      if (items > control_items_max) return false;
      last().what = control_reader::kind::empty_list;
    } else if (depth == 2) {
      last().what = control_reader::kind::other;
    }
    ++depth;
    return true;
  }
  bool end_array() { return --depth, true; }
  bool start_map(std::uint32_t) {
    if (in_key || depth == control_depth_max) return false;
    if (depth == 1 || depth == 2) last().what = control_reader::kind::other;
    ++depth;
    return true;
  }
  bool end_map() { return --depth, true; }
  bool start_map_key() { return in_key = depth == 1, true; }
  bool end_map_key() { return in_key = false, true; }
  void parse_error(std::size_t, std::size_t) { broken = true; }
  void insufficient_bytes(std::size_t, std::size_t) { broken = true; }

  control_reader::field& last() { return into.fields_[into.count_ - 1]; }

  bool scalar(control_reader::kind what, std::uint64_t value) {
    if (depth == 0 || (depth == 1 && in_key)) return false;  // not a map; a key that is no string
    if (depth == 1) {
      last().what = what;
      last().value = value;
    } else if (depth == 2 && what == control_reader::kind::number) {
      if (item_of(control_reader::kind::ints, into.ints_.size())) into.ints_.push_back(value);
    } else if (depth == 2 && what != control_reader::kind::text) {
      last().what = control_reader::kind::other;
    }
    return true;
  }

  // One more item of the array that is open: false when the array is of no use, for example because
  // its items differ in kind.
  bool item_of(control_reader::kind what, std::size_t index) {
    if (last().what == control_reader::kind::empty_list) {
      last().what = what;
      last().value = index;
    }
    if (last().what != what) {
      last().what = control_reader::kind::other;
      return false;
    }
    ++last().items;
    return true;
  }

  control_reader& into;
  std::size_t depth = 0;
  bool in_key = false;
  bool broken = false;
};

control_reader::control_reader(bytes_view head) noexcept {
  if (head.size() <= frame_prefix_bytes || head.size() > control_head_bytes_max) {
    fail("map");
    return;
  }
  const char* data = reinterpret_cast<const char*>(head.data());
  std::size_t at = frame_prefix_bytes;
  control_visitor visitor(*this);
  try {
    if (!msgpack::parse(data, head.size(), at, visitor) || visitor.broken) fail("map");
  } catch (const std::exception&) {
    fail("map");  // the parser throws on sizes it cannot hold
  }
}

void control_reader::flag(std::string_view key, bool& into) noexcept {
  const field* f = find(key);
  if (!f) return;
  if (f->what != kind::flag) return fail(key);
  into = f->value != 0;
}

void control_reader::text(std::string_view key, std::string& into, std::size_t min,
                          std::size_t max) {
  const field* f = find(key);
  if (!f && min == 0) return;
  if (!f || f->what != kind::text || f->bytes.size() < min || f->bytes.size() > max)
    return fail(key);
  into = f->bytes;
}

void control_reader::binary16(std::string_view key, bytes16& into) noexcept {
  const field* f = find(key);
  if (!f || f->what != kind::text || f->bytes.size() != into.size()) return fail(key);
  std::memcpy(into.data(), f->bytes.data(), into.size());
}

void control_reader::ranges(std::string_view key, std::vector<range>& into, std::size_t max) {
  const field* f = find(key);
  const bool list = f && (f->what == kind::ints || f->what == kind::empty_list);
  if (!list || f->items % 2 || f->items / 2 > max) return fail(key);
  into.reserve(f->items / 2);
  for (std::size_t i = f->value; i < f->value + f->items; i += 2) {
    const range r{ints_[i], ints_[i + 1]};
    if (r.first == 0 || r.count == 0 || r.end() < r.first) return fail(key);
    into.push_back(r);
  }
}

void control_reader::texts(std::string_view key, std::vector<std::string>& into, std::size_t max,
                           std::size_t bytes_max) {
  const field* f = find(key);
  if (!f || f->what == kind::empty_list) return;
  if (f->what != kind::texts || f->items > max) return fail(key);
  into.reserve(f->items);
  for (std::size_t i = f->value; i < f->value + f->items; ++i) {
    if (texts_[i].size() > bytes_max) return fail(key);
    into.emplace_back(texts_[i]);
  }
}

const control_reader::field* control_reader::find(std::string_view key) const noexcept {
  for (std::size_t i = 0; i < count_; ++i)
    if (fields_[i].key == key) return &fields_[i];
  return nullptr;
}

bool control_reader::read_number(std::string_view key, std::uint64_t& value, std::uint64_t min,
                                 std::uint64_t max) noexcept {
  const field* f = find(key);
  if (!f) return false;
  if (f->what != kind::number || f->value < min || f->value > max) {
    fail(key);
    return false;
  }
  value = f->value;
  return true;
}

}  // namespace holdfast
