// Blocks: what was packed comes out exact to the byte; whatever a peer sends is judged without a
// crash.
#include <doctest/doctest.h>

#include "patterns/block.hpp"

#include <algorithm>
#include <string>

#include "base/checksum.hpp"
#include "base/random.hpp"

using namespace holdfast;

namespace {

using message = std::vector<std::string>;

bytes_view view(const std::string& text) {
  return as_bytes_view(text.data(), text.size());
}

std::string text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

void add(block_packer& packer, const message& m, std::uint64_t time_ns = 0) {
  std::vector<bytes_view> parts;
  for (const std::string& part : m) parts.push_back(view(part));
  packer.add(parts, time_ns);
}

std::vector<message> unpack(bytes_view body) {
  std::vector<message> made;
  entry_walker walker(body);
  for (entry e; walker.next(e);) {
    CHECK(e.sum_holds());
    message m;
    for_each_part(e, [&](bytes_view part) { m.push_back(text(part)); });
    CHECK(m.size() == e.parts());
    // part() adds up the lengths before it: the first ones will do.
    for (std::size_t i = 0; i < std::min<std::size_t>(m.size(), 64); ++i)
      CHECK(text(e.part(i)) == m[i]);
    made.push_back(e.voided() ? message{"(void)"} : m);
  }
  CHECK(walker.ok());
  return made;
}

message random_message(random_source& random) {
  message m(1 + random.below(random.chance(10) ? 64 : 3));
  for (std::string& part : m) {
    part.resize(random.below(random.chance(10) ? 3000 : 40));
    for (char& c : part) c = static_cast<char>(random.next());
  }
  return m;
}

}  // namespace

TEST_CASE("messages of any shape come out of a block as they went in") {
  random_source random(7);
  block_packer packer;
  for (int round = 0; round < 200; ++round) {
    std::vector<message> sent;
    const std::uint64_t wanted = 1 + random.below(100);
    while (sent.size() < wanted) {
      sent.push_back(random_message(random));
      add(packer, sent.back());
    }
    const sealed_block block = packer.seal();
    REQUIRE(walk(block.body.bytes(), block.count, block.props_mask, 1 << 20).ok);
    CHECK(block.count == sent.size());
    CHECK(block.body_sum == checksum(block.body.bytes()));
    CHECK(unpack(block.body.bytes()) == sent);
  }
}

TEST_CASE("the edges of a message: an empty part, 64 parts, 65 535 parts") {
  block_packer packer;
  const std::vector<message> edges = {{""}, message(64, ""), {"", "x", ""}, message(65'535, "")};
  for (const message& m : edges) {
    if (!packer.fits(0, m.size())) packer.seal();
    add(packer, m);
  }
  CHECK_FALSE(packer.fits(0, 65'536));
  CHECK_FALSE(packer.fits(0, 0));
  CHECK_FALSE(packer.fits(message_bytes_hard_max + 1, 1));
  packer.seal();
  add(packer, edges[3]);
  const sealed_block block = packer.seal();
  CHECK(unpack(block.body.bytes()) == std::vector<message>{edges[3]});
  CHECK(walk(block.body.bytes(), 1, 0, 0).ok);
}

TEST_CASE("a message enclosed where it lies is the block that packing makes, and no byte more") {
  for (std::size_t size = 0; size < 300; ++size) {
    const std::string sent(size, 'm');
    block_packer packer;
    add(packer, {sent});
    const sealed_block packed = packer.seal();
    const std::size_t around = 20;
    const buffer_ref room =
        copy_to_buffer(view(std::string(around, '<') + sent + std::string(around, '>')));
    auto* const owner = static_cast<slab*>(room.owner());
    const sealed_block made = enclose(owner, owner->data() + around, size);
    CHECK(text(made.body.bytes()) == text(packed.body.bytes()));
    CHECK(made.body_sum == packed.body_sum);
    CHECK(made.count == 1);
    CHECK(text(room.bytes().first(around - entry_head_bytes)) == "<<<<<<<<");
    const std::size_t behind = around - (made.body.size() - entry_head_bytes - size);
    CHECK(text(room.bytes().last(behind)) == std::string(behind, '>'));
  }
}

TEST_CASE("a block holds 256 KiB or 4096 messages, one bigger message alone") {
  block_packer packer;
  while (packer.fits(64, 1)) add(packer, {std::string(64, 'a')});
  CHECK(packer.count() == block_bytes_max / 76);
  CHECK(packer.bytes() <= block_bytes_max);
  packer.seal();
  while (packer.fits(0, 1)) add(packer, {""});
  CHECK(packer.count() == block_messages_max);
  packer.seal();
  CHECK(packer.fits(10 << 20, 1));
  add(packer, {std::string(10 << 20, 'b')});
  CHECK_FALSE(packer.fits(1, 1));
  const sealed_block big = packer.seal();
  CHECK(walk(big.body.bytes(), 1, 0, 10 << 20).ok);
  const body_verdict refused = walk(big.body.bytes(), 1, 0, (10 << 20) - 1);
  CHECK_FALSE(refused.ok);
  CHECK(refused.code == errc::too_large);
}

TEST_CASE("sealed blocks stay as they were while later ones are packed beside them") {
  random_source random(11);
  block_packer packer;
  std::vector<sealed_block> blocks;
  std::vector<std::vector<message>> sent;
  for (int i = 0; i < 300; ++i) {
    sent.emplace_back();
    for (std::uint64_t n = 1 + random.below(i % 50 == 0 ? 2000 : 3); n > 0; --n) {
      sent.back().push_back(random_message(random));
      if (!packer.fits(64 * 3000, 64)) break;
      add(packer, sent.back().back());
    }
    if (sent.back().size() != packer.count()) sent.back().pop_back();
    blocks.push_back(packer.seal());
  }
  for (std::size_t i = 0; i < blocks.size(); ++i) {
    CHECK(checksum(blocks[i].body.bytes()) == blocks[i].body_sum);
    CHECK(unpack(blocks[i].body.bytes()) == sent[i]);
  }
}

TEST_CASE("a lonely small message costs no big slab, and many share one") {
  block_packer packer;
  std::vector<sealed_block> blocks;
  std::size_t slabs = 0;
  buffer* last = nullptr;
  for (int i = 0; i < 100; ++i) {
    add(packer, {"hello"});
    blocks.push_back(packer.seal());
    CHECK(blocks.back().body.owner()->bytes().size() == 4096);
    slabs += blocks.back().body.owner() != last;
    last = blocks.back().body.owner();
  }
  CHECK(slabs == 1);
}

TEST_CASE("void entries hold a number's place and keep their reason") {
  block_packer packer;
  add(packer, {"a"});
  packer.add_void(0, "schema: no such field");
  packer.add_void(0);
  const sealed_block block = packer.seal();
  const body_verdict verdict = walk(block.body.bytes(), 3, 0, 100);
  CHECK(verdict.ok);
  CHECK(verdict.voids == 2);
  entry_walker walker(block.body.bytes());
  entry e;
  REQUIRE(walker.next(e));
  CHECK_FALSE(e.voided());
  REQUIRE(walker.next(e));
  CHECK(e.voided());
  CHECK(text(e.data) == "schema: no such field");
}

TEST_CASE("an entry copied into another block is the same entry") {
  block_packer packer;
  add(packer, {"one", "", "three"}, 5'000'000);
  add(packer, {"x"}, 5'100'000);
  const sealed_block block = packer.seal();
  block_packer other;
  entry_walker walker(block.body.bytes());
  for (entry e; walker.next(e);) other.add_entry(e.whole);
  const sealed_block copy = other.seal();
  CHECK(copy.body_sum == block.body_sum);
  CHECK(copy.count == 2);
}

TEST_CASE("dt counts 16 us steps since the block's first entry and saturates") {
  block_packer packer;
  add(packer, {"a"}, 1'000'000'000);
  add(packer, {"b"}, 1'000'160'000);
  add(packer, {"c"}, 900'000'000);
  add(packer, {"d"}, 9'000'000'000);
  const sealed_block block = packer.seal();
  std::vector<unsigned> seen;
  entry_walker walker(block.body.bytes());
  for (entry e; walker.next(e);) seen.push_back(e.dt);
  CHECK(seen == std::vector<unsigned>{0, 10, 0, 0xffff});
}

TEST_CASE("cut_entries cuts at entry boundaries, within bytes, at least one") {
  block_packer packer;
  std::vector<message> sent;
  for (int i = 0; i < 10; ++i) {
    sent.push_back({std::string(100, static_cast<char>('0' + i))});  // 112 bytes each
    add(packer, sent.back());
  }
  const sealed_block block = packer.seal();
  const auto cut = [&](std::uint32_t skip, std::uint32_t count, std::uint64_t bytes) {
    const entry_run run = cut_entries(block.body.bytes(), skip, count, bytes);
    const auto got = unpack(block.body.bytes().subspan(run.at, run.size));
    CHECK(got == std::vector<message>(sent.begin() + skip, sent.begin() + skip + run.count));
    return run.count;
  };
  CHECK(cut(0, 10, 1 << 20) == 10);
  CHECK(cut(3, 4, 1 << 20) == 4);
  CHECK(cut(3, 100, 1 << 20) == 7);
  CHECK(cut(2, 8, 300) == 2);
  CHECK(cut(2, 8, 1) == 1);
  CHECK(cut_entries(block.body.bytes(), 10, 5, 1000).count == 0);
}

TEST_CASE("a body cut anywhere, or changed in one bit, is noticed") {
  block_packer packer;
  add(packer, {"first", "", "third"});
  add(packer, {"lonely"});
  packer.add_void(0, "gone");
  const sealed_block block = packer.seal();
  const std::vector<std::byte> good(block.body.bytes().begin(), block.body.bytes().end());
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(walk({good.data(), size}, 3, 0, 1000).ok);
  CHECK_FALSE(walk(good, 2, 0, 1000).ok);
  CHECK_FALSE(walk(good, 4, 0, 1000).ok);
  CHECK_FALSE(walk(good, 0, 0, 1000).ok);
  for (std::size_t bit = 0; bit < good.size() * 8; ++bit) {
    std::vector<std::byte> bad = good;
    bad[bit / 8] ^= static_cast<std::byte>(1 << bit % 8);
    bool noticed = !walk(bad, 3, 0, 1000).ok;
    entry_walker walker(bad);
    for (entry e; walker.next(e);) noticed |= !e.sum_holds();
    CHECK_MESSAGE(noticed, "bit ", bit);
  }
}

TEST_CASE("random bytes never crash the walk") {
  random_source random(3);
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::byte> bytes(random.below(200));
    for (std::byte& b : bytes) b = static_cast<std::byte>(random.next());
    // Small lengths and few flags get deeper than plain noise does.
    if (bytes.size() > 12) {
      store(bytes.data(), static_cast<std::uint32_t>(12 + random.below(bytes.size())));
      bytes[8] = static_cast<std::byte>(random.below(8));
      bytes[9] = std::byte{0};
    }
    const body_verdict verdict = walk(bytes, static_cast<std::uint16_t>(random.below(6)), 1, 64);
    if (!verdict.ok) continue;
    entry_walker walker(bytes);
    for (entry e; walker.next(e);) for_each_part(e, [](bytes_view part) { checksum(part); });
  }
}
