// accepted(level) survives fault(level): what was accepted is delivered and finished in the end.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class survives final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "survives"; }

  std::uint64_t open() const override {
    std::uint64_t count = 0;
    for (const auto& [key, f] : known().all()) count += is_open(f) ? 1 : 0;
    return count;
  }
  void at_end(std::uint64_t now) override {
    for (const auto& [key, f] : known().all())
      if (is_open(f))
        return fail(f.deliveries == 0 ? "accepted and lost: never delivered"
                                      : "accepted and delivered, but never finished",
                    key, now);
  }

 private:
  static bool is_open(const fate& f) {
    return f.channel == channel_kind::pipeline && f.accepted_ns != 0 && !f.excused &&
           f.finished_ns == 0;
  }
};

}  // namespace

std::unique_ptr<checker> make_survives(judge& to) {
  return std::make_unique<survives>(to);
}

}  // namespace holdfast::sim
