// An accept has the level that was asked for, or the channel's where that is lower; a message that
// may be stored is never refused for good.
#include <algorithm>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class levels final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "levels"; }

  void on_accepted(const message_key& key, promise at, promise asked, std::uint64_t,
                   std::uint64_t now) override {
    const fate* f = known().find(key);
    if (!f) return;
    const promise channel = known().rules().level[static_cast<std::size_t>(f->channel)];
    const promise least = std::min(asked, channel);
    // What is written is accepted at level interval as well as at process: the same moment.
    if (at < least) fail("accepted at a lower level than asked for", key, now);
  }
  void on_given_up(const message_key& key, std::uint64_t now) override {
    fail("a good message was refused for good", key, now);
  }
};

}  // namespace

std::unique_ptr<checker> make_levels(judge& to) {
  return std::make_unique<levels>(to);
}

}  // namespace holdfast::sim
