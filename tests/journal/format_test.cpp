// The bytes on disk: round trip, golden bytes (a change of them is a new format version), and that
// a record is valid at its own place only.
#include <doctest/doctest.h>

#include <cstdio>

#include "tests/journal/rig.hpp"

namespace holdfast::testing {
namespace {

record_header sample() {
  record_header h;
  h.head.type = record_type::block;
  h.head.flags = record_flag::batch_end;
  h.head.count = 0x1234;
  h.head.stream = 0x01020304;
  h.head.first_sequence = 0x1112131415161718;
  h.head.time_ns = 0x2122232425262728;
  h.head.body_sum = 0x3132333435363738;
  h.head.producer = 0x41424344;
  h.head.body_format = 0x5152;
  h.head.props_mask = 0x61;
  h.head.need = level::interval;
  h.head.producer_number = 0x7172737475767778;
  h.body_len = 1000;
  h.durable_delta = 160;
  h.batch_back = 320;
  return h;
}

std::string hex(bytes_view bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    char two[3];
    std::snprintf(two, sizeof two, "%02x", std::to_integer<unsigned>(b));
    text += two;
  }
  return text;
}

TEST_CASE("a record header reads back as written, at its place alone") {
  std::array<std::byte, record_header_bytes> bytes;
  encode_record_header(sample(), 77, 4096, bytes);
  const auto back = decode_record_header(bytes, 77, 4096);
  REQUIRE(back);
  std::array<std::byte, record_header_bytes> again;
  encode_record_header(*back, 77, 4096, again);
  CHECK(bytes == again);
  CHECK(back->durable_delta == 160);
  CHECK(back->batch_back == 320);
  CHECK(!decode_record_header(bytes, 77, 4112));
  CHECK(!decode_record_header(bytes, 78, 4096));
  for (std::size_t i = 0; i < bytes.size() * 8; ++i) {
    auto bad = bytes;
    bad[i / 8] ^= static_cast<std::byte>(1 << (i % 8));
    CHECK(!decode_record_header(bad, 77, 4096));
  }
}

TEST_CASE("golden bytes of a record header") {
  std::array<std::byte, record_header_bytes> bytes;
  encode_record_header(sample(), 77, 4096, bytes);
  CHECK(hex(bytes_view(bytes).subspan(4)) ==
        "e8030000100234120403020118171615141312112827262524232221383736353433323"
        "10a00000014000000"
        "44434241525161027877767574737271");
  CHECK(hex(bytes_view(bytes).first(4)) == "ed06ed33");
}

TEST_CASE("golden bytes of a segment header") {
  segment_header h;
  for (std::size_t i = 0; i < 16; ++i) h.journal_id[i] = static_cast<std::byte>(i);
  h.epoch = 3;
  h.base = 65536;
  h.size = 16384;
  h.slot = 17;
  h.oversize = true;
  h.boot_id[0] = std::byte{9};
  h.previous_slot = 16;
  h.previous_base = 32768;
  h.previous_end = 40000;
  h.previous_durable = true;
  h.time_ns = 5;
  auto bytes = encode_segment_header(h);
  CHECK(decode_segment_header(bytes) == h);
  CHECK(hex(bytes) ==
        "a14c4653454731000100000011000000000102030405060708090a0b0c0d0e0f03000000000000000000010000"
        "00000000400000000000000300000010000000090000000000000000000000000000000080000000000000409c"
        "00000000000005000000000000000000000000000000000000000000000066c10c7fe3a5b60b");
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto bad = bytes;
    bad[i] ^= std::byte{1};
    CHECK(!decode_segment_header(bad));
  }
  CHECK(segment_key(h.journal_id, 3) == 3000056116262380793ull);
}

TEST_CASE("a watermark too far back saturates on the safe side") {
  record_header h = sample();
  h.durable_delta = std::uint64_t{1} << 40;
  std::array<std::byte, record_header_bytes> bytes;
  encode_record_header(h, 1, std::uint64_t{1} << 41, bytes);
  const auto back = decode_record_header(bytes, 1, std::uint64_t{1} << 41);
  REQUIRE(back);
  CHECK(back->durable_delta == std::uint64_t{0xffffffff} * 16);
}

}  // namespace
}  // namespace holdfast::testing
