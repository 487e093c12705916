// Recovery reports damage only where a disk returned errors or changed a bit: what a crash leaves
// behind is a torn tail, and no damage.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class damage final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "damage"; }

  void on_recovery(bool damaged, bool disk_did_harm, std::uint64_t now) override {
    if (damaged && !disk_did_harm) fail("recovery reports damage on a disk that did none", {}, now);
  }
};

}  // namespace

std::unique_ptr<checker> make_damage(judge& to) {
  return std::make_unique<damage>(to);
}

}  // namespace holdfast::sim
