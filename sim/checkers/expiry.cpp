// No request is handed out after its deadline, by the device's calendar at that moment; none is
// told to be expired before the calendar ever showed it.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class expiry final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "expiry"; }

  void on_delivered(const delivery& d) override {
    const fate* f = known().find(d.key);
    if (!f || d.channel != channel_kind::reqrep || f->deadline_max_ns == 0) return;
    if (d.left_real_ns > f->deadline_max_ns)
      fail("handed out " + std::to_string((d.left_real_ns - f->deadline_max_ns) / 1'000'000) +
               " ms after its deadline",
           d.key, d.now_ns);
  }
  void on_answered(const answer& a) override {
    const fate* f = known().find(a.request);
    if (!f || a.status != 504) return;
    if (f->deadline_min_ns == 0 || a.real_max_ns < f->deadline_min_ns)
      fail("told to be expired before its deadline", a.request, a.now_ns);
  }
};

}  // namespace

std::unique_ptr<checker> make_expiry(judge& to) {
  return std::make_unique<expiry>(to);
}

}  // namespace holdfast::sim
