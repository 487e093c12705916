// The worked example of docs/wire_protocol.md, section 10: the page's bytes are the library's
// bytes. With HOLDFAST_REWRITE set in the environment the page gets the library's.
#include <doctest/doctest.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>

#include "patterns/block.hpp"
#include "patterns/frame_codec.hpp"

using namespace holdfast;

namespace {

bytes_view view(std::string_view text) {
  return as_bytes_view(text.data(), text.size());
}

std::string hex(bytes_view bytes) {
  std::string made;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    char text[4];
    std::snprintf(text, sizeof text, "%02x", std::to_integer<unsigned>(bytes[i]));
    if (i > 0) made += i % 16 ? ' ' : '\n';
    made += text;
  }
  return made + "\n";
}

std::map<std::string, std::string> library() {
  std::map<std::string, std::string> made;
  hello h;
  h.producer_id = "cam";
  h.named = true;
  for (std::size_t i = 0; i < 16; ++i) h.nonce[i] = static_cast<std::byte>(i);
  made["hello"] = hex(encode(0, h).bytes());

  block_packer packer;
  const bytes_view one[] = {view("hello")};
  const bytes_view three[] = {view("a"), view(""), view("bcd")};
  packer.add(one, 0);
  packer.add(three, 0);
  const sealed_block block = packer.seal();
  made["body"] = hex(block.body.bytes());

  small_head head;
  encode(head, 7, publish{3, 1, block.count, 0, block.body_sum});
  made["publish"] = hex(head.bytes());
  encode(head, 7, accept{3, 2, level::disk});
  made["accept"] = hex(head.bytes());
  deliver d;
  d.stream = 3;
  d.first_sequence = 10;
  d.count = block.count;
  d.whole = true;
  d.body_sum = block.body_sum;
  encode(head, 7, d);
  made["deliver"] = hex(head.bytes());
  made["ack"] = hex(encode(7, ack{3, 1, {{10, 2}}}).bytes());
  return made;
}

}  // namespace

TEST_CASE("the worked example of the wire protocol is what the library makes") {
  const std::string page = HOLDFAST_DOCS "/wire_protocol.md";
  std::ifstream in(page);
  REQUIRE(in);
  auto expected = library();
  std::string line, rewritten;
  while (std::getline(in, line)) {
    rewritten += line + "\n";
    if (line.rfind("```hex ", 0) != 0) continue;
    const std::string name = line.substr(7);
    REQUIRE(expected.contains(name));
    std::string shown;
    while (std::getline(in, line) && line != "```") shown += line + "\n";
    if (!std::getenv("HOLDFAST_REWRITE")) CHECK_MESSAGE(shown == expected[name], name);
    rewritten += expected[name] + "```\n";
    expected.erase(name);
  }
  CHECK(expected.empty());
  if (std::getenv("HOLDFAST_REWRITE")) std::ofstream(page) << rewritten;
}
