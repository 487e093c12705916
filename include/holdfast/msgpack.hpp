// msgpack: types with MSGPACK_DEFINE (or MSGPACK_DEFINE_MAP, ..._ARRAY) as they are, for
// <holdfast/typed.hpp>. Opt-in: includes msgpack-c's <msgpack.hpp>, which the program must have
// (Debian: libmsgpack-cxx-dev).
//
//   struct point { int x, y; MSGPACK_DEFINE_MAP(x, y) };
//   holdfast::typed out(std::move(producer));
//   out.send(point{1, 2});
//
// Other types that msgpack-c knows (std::map, std::vector<point>, ...) need one line:
//   template <> struct holdfast::serializer<T> : holdfast::msgpack_serializer<T> {};
//
// Contract: one MessagePack object is a value, at most 128 levels deep; anything else is
// errc::schema. Nothing throws.
#pragma once

#include <exception>
#include <msgpack.hpp>
#include <string>

#include "holdfast/typed.hpp"

namespace holdfast {

template <class T>
struct msgpack_serializer {
  static constexpr std::size_t depth_max = 128;

  static status encode(const T& value, std::vector<std::byte>& into) try {
    sink to{into};
    ::msgpack::pack(to, value);
    return {};
  } catch (const std::exception& error) {
    return failed("encoded", error.what());
  }

  static result<T> decode(part_view bytes) try {
    // No count is larger than the bytes: a broken one must not allocate more than they deserve.
    const std::size_t most = bytes.size();
    std::size_t end = 0;
    const ::msgpack::object_handle object = ::msgpack::unpack(
        reinterpret_cast<const char*>(bytes.data()), bytes.size(), end, nullptr, nullptr,
        ::msgpack::unpack_limit(most, most, most, most, most, depth_max));
    if (end != bytes.size()) return failed("decoded", "there is more than one object");
    return object.get().as<T>();
  } catch (const std::exception& error) {
    return failed("decoded", error.what());
  }

 private:
  struct sink {
    std::vector<std::byte>& into;
    void write(const char* data, std::size_t size) {
      const auto* from = reinterpret_cast<const std::byte*>(data);
      into.insert(into.end(), from, from + size);
    }
  };
  static status failed(const char* what, const char* why) {
    return {errc::schema, std::string("the value cannot be ") + what + " as MessagePack: " + why};
  }
};

template <class T>
requires requires(const T& value, ::msgpack::packer<::msgpack::sbuffer>& to) {
  value.msgpack_pack(to);
}
struct serializer<T> : msgpack_serializer<T> {};

}  // namespace holdfast
