// The pieces under `journal export`: the CRC, times as text, and each message once.
#include <doctest/doctest.h>

#include <string_view>

#include "base/random.hpp"
#include "devices/export/crc32.hpp"
#include "devices/export/message_walk.hpp"
#include "devices/export/time_text.hpp"
#include "patterns/block.hpp"
#include "patterns/records.hpp"

namespace holdfast {
namespace {

bytes_view view(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}

std::uint32_t slow_crc32(bytes_view data) {
  std::uint32_t sum = ~0u;
  for (const std::byte b : data) {
    sum ^= std::to_integer<std::uint32_t>(b);
    for (int bit = 0; bit < 8; ++bit) sum = (sum >> 1) ^ ((sum & 1) != 0 ? 0xEDB88320u : 0u);
  }
  return ~sum;
}

TEST_CASE("crc32 is the one of the specifications, in any pieces") {
  CHECK(crc32(view("123456789")) == 0xCBF43926u);
  CHECK(crc32({}) == 0);
  random_source random(3);
  std::vector<std::byte> bytes(1000);
  for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 13) {
    const bytes_view all(bytes);
    CHECK(crc32(all.first(cut)) == slow_crc32(all.first(cut)));
    CHECK(crc32(all.subspan(cut), crc32(all.first(cut))) == slow_crc32(all));
  }
}

TEST_CASE("times there and back") {
  CHECK(time_text(0) == "1970-01-01T00:00:00.000000000Z");
  CHECK(time_text(1'772'368'200'123'456'789ull) == "2026-03-01T12:30:00.123456789Z");
  for (const std::uint64_t at : {0ull, 1ull, 999'999'999ull, 1'772'368'200'123'456'789ull}) {
    const auto back = parse_time_text(time_text(at));
    REQUIRE(back.ok());
    CHECK(*back == at);
  }
  CHECK(*parse_time_text("2026-03-01T12:30:00") == 1'772'368'200'000'000'000ull);
  CHECK(*parse_time_text("2026-03-01T12:30:00.5Z") == 1'772'368'200'500'000'000ull);
  CHECK(*parse_time_text("1970-01-02") == 86'400'000'000'000ull);
  for (const char* wrong : {"", "soon", "2026-03-01T", "2026-03-01T12:30:00.Z", "2026-03-01x",
                            "2026-03-01T12:30:00Zz", "1969-12-31T23:59:59Z"})
    CHECK_FALSE(parse_time_text(wrong).ok());
}

// A block of one-part messages that say their sequence.
struct made_block {
  made_block(stream_id stream, std::uint64_t first, std::uint64_t count) {
    block_packer packer;
    for (std::uint64_t i = 0; i < count; ++i) {
      const std::string text = std::to_string(first + i);
      const bytes_view part = view(text);
      packer.add({&part, 1}, i * 32'000);
    }
    sealed = packer.seal();
    record.head.type = record_type::block;
    record.head.stream = stream;
    record.head.first_sequence = first;
    record.head.count = sealed.count;
    record.head.time_ns = 1'000'000'000;
    record.body = sealed.body.bytes();
  }
  sealed_block sealed;
  record_view record;
};

std::vector<std::uint64_t> feed(message_walk& walk, const made_block& block) {
  std::vector<std::uint64_t> got;
  walk.feed(block.record, [&](const stored_message& m) {
    got.push_back(m.sequence);
    const std::string text = std::to_string(m.sequence);
    CHECK(std::string_view(reinterpret_cast<const char*>(m.parts[0].data()), m.parts[0].size()) ==
          text);
    const std::uint64_t distance = (m.sequence - block.record.head.first_sequence) * 32'000;
    CHECK(m.time_ns == 1'000'000'000 + distance);
    return true;
  });
  return got;
}

TEST_CASE("a message that was moved is handed out once, wherever it is met first") {
  using list = std::vector<std::uint64_t>;
  message_walk walk;
  CHECK(feed(walk, {1, 5, 3}) == list{5, 6, 7});
  CHECK(feed(walk, {1, 8, 2}) == list{8, 9});
  CHECK(feed(walk, {1, 6, 2}).empty());
  CHECK(feed(walk, {1, 3, 4}) == list{3, 4});  // older ones that were moved behind newer ones
  CHECK(feed(walk, {1, 1, 1}) == list{1});
  CHECK(feed(walk, {1, 1, 11}) == list{2, 10, 11});
  CHECK(feed(walk, {2, 1, 2}) == list{1, 2});
}

TEST_CASE("names come from records, and choose") {
  message_choice wanted;
  wanted.channel = "work";
  wanted.addresses = {"a"};
  wanted.topics = {"b/"};
  wanted.from = export_bound{false, 2};
  wanted.to = export_bound{true, 1'000'000'000 + 96'000};
  message_walk walk(wanted);
  const auto define = [&](stream_id stream, const char* channel, const char* address) {
    const append_item item = encode_record({}, stream_def{stream, 1, channel, address});
    walk.feed({item.head, item.body.bytes(), 0}, [](const stored_message&) { return true; });
  };
  define(1, "work", "a");
  define(2, "work", "b/1");
  define(3, "work", "c");
  define(4, "other", "a");
  using list = std::vector<std::uint64_t>;
  CHECK(feed(walk, {1, 1, 9}) == list{2, 3});
  CHECK(feed(walk, {2, 1, 9}) == list{2, 3});
  CHECK(feed(walk, {3, 1, 9}).empty());
  CHECK(feed(walk, {4, 1, 9}).empty());
  CHECK(feed(walk, {5, 1, 9}).empty());  // not known: of no channel
}

}  // namespace
}  // namespace holdfast
