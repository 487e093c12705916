// What a consumer of a queue is handed after somebody had it before says so. A late frame of an old
// connection is no repeat: what counts is when the device let go of it.
#include <algorithm>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class repeats final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "repeats"; }

  void on_delivered(const delivery& d) override {
    if (d.channel != channel_kind::pipeline || d.session == 0 || d.where.sequence == 0) return;
    const auto [at, first] = left_.try_emplace(d.where, d.left_ns);
    if (!first && !d.again && at->second < d.left_ns)
      fail("delivered before, and not said to come again", d.key, d.now_ns);
    at->second = std::min(at->second, d.left_ns);
  }

 private:
  std::map<place, std::uint64_t> left_;  // when it first did
};

}  // namespace

std::unique_ptr<checker> make_repeats(judge& to) {
  return std::make_unique<repeats>(to);
}

}  // namespace holdfast::sim
