// A subscriber is told of a gap only where retention, bit rot, or a power loss below level disk
// could take something away, or a failed write or sync cost sequences nobody was told of.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class gaps final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "gaps"; }

  void on_power_lost(std::uint64_t) override { power_ = true; }
  void on_recovery(bool, bool disk_did_harm, std::uint64_t) override { harmed_ = disk_did_harm; }
  void on_gap(std::uint32_t, std::uint64_t first, std::uint64_t count, std::uint64_t now) override {
    const bool lost_power = power_ && known().rules().below_disk(channel_kind::pubsub);
    if (known().rules().retention || known().rotted() || lost_power || harmed_) return;
    fail("a gap of " + std::to_string(count) + " messages from " + std::to_string(first) +
             " on, and nothing can be lost",
         {}, now);
  }

 private:
  bool power_ = false, harmed_ = false;
};

}  // namespace

std::unique_ptr<checker> make_gaps(judge& to) {
  return std::make_unique<gaps>(to);
}

}  // namespace holdfast::sim
