// Arbitrary bytes of a ZMTP peer, raw and behind a right handshake, as one piece and as many:
// whatever is understood, it is the same, within its bounds.
#include <algorithm>
#include <vector>

#include "devices/zmtp/intake.hpp"
#include "tests/fuzz/again.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

using zmtp::intake;
using zmtp::seen;

constexpr zmtp::intake_limits limits{4096, 16, 16384};

struct account {
  std::uint64_t messages = 0, parts = 0, bytes = 0, dropped = 0, failed = 0;
  friend bool operator==(const account&, const account&) = default;
};

void add_message(account& to, const intake& from, bytes_view held) {
  std::uint64_t bytes = 0;
  for (const bytes_view part : from.parts()) {
    must(part.empty() ||
         (part.data() >= held.data() && part.data() + part.size() <= held.data() + held.size()));
    bytes += part.size();
  }
  must(bytes == from.bytes() && bytes <= limits.bytes_max);
  must(!from.parts().empty() && from.parts().size() <= limits.parts_max);
  ++to.messages;
  to.parts += from.parts().size();
  to.bytes += bytes;
}

account read(const zmtp::role& as, bytes_view all, std::size_t piece) {
  intake from(as, limits);
  account made;
  std::size_t begin = 0, end = 0;
  while (made.failed == 0) {
    const bytes_view held = all.subspan(begin, end - begin);
    std::size_t consumed = 0;
    const seen found = from.look_at(held, consumed);
    must(consumed <= held.size());
    if (found == seen::message) add_message(made, from, held);
    made.dropped += found == seen::dropped;
    made.failed += found == seen::failed;
    begin += consumed;
    from.to_send().clear();
    if (found != seen::incomplete) continue;
    if (end == all.size()) break;
    end = std::min(all.size(), end + piece);
  }
  return made;
}

void same_in_pieces(const zmtp::role& as, bytes_view all) {
  const account whole = read(as, all, all.size());
  must(whole.messages == 0 || as.own != zmtp::pushes.own);
  for (const std::size_t piece : {1, 7, 100}) must(read(as, all, piece) == whole);
}

std::vector<std::byte> handshake(const zmtp::role& peer) {
  std::vector<std::byte> made = zmtp::signature();
  const auto add = [&](const std::vector<std::byte>& more) {
    made.insert(made.end(), more.begin(), more.end());
  };
  add(zmtp::revision());
  add(zmtp::rest_of_greeting(zmtp::version::v3, peer));
  add(zmtp::ready_command(peer.own));
  return made;
}

void any(const zmtp::role& as, const zmtp::role& peer, bytes_view input) {
  same_in_pieces(as, input);
  std::vector<std::byte> greeted = handshake(peer);
  greeted.insert(greeted.end(), input.begin(), input.end());
  same_in_pieces(as, greeted);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  const holdfast::bytes_view input = fuzz_input(data, size).rest();
  any(holdfast::zmtp::pulls, holdfast::zmtp::pushes, input);
  any(holdfast::zmtp::pushes, holdfast::zmtp::pulls, input);
  any(holdfast::zmtp::routes, holdfast::zmtp::deals, input);
  any(holdfast::zmtp::deals, holdfast::zmtp::routes, input);
  return 0;
}
