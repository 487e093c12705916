// A request is answered once the requester lives long enough, by what a replier said to it; given
// up only where attempts are counted, told to be closed only if it was answered before.
#include <set>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class answers final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "answers"; }

  void on_sent(const message_key& key, channel_kind channel, std::uint64_t) override {
    if (channel == channel_kind::reqrep && !answered_.contains(key)) waiting_.insert(key);
  }
  void on_abandoned(const message_key& key) override { waiting_.erase(key); }

  void on_answered(const answer& a) override {
    const bool again = !answered_.insert(a.request).second;
    waiting_.erase(a.request);
    if (a.here) return check_here(a);
    const fate* f = known().find(a.request);
    switch (a.status) {
      case 200:
        if (f && f->finished_ns == 0) fail("answered, and nobody replied", a.request, a.now_ns);
        return;
      case 410:
        if (!again) fail("told to be closed, and never answered", a.request, a.now_ns);
        return;
      case 500:
        if (!known().rules().attempts && !(f && f->rotten))
          fail("given up, though attempts are not counted", a.request, a.now_ns);
        return;
      case 504: return;  // expiry's
      default:
        fail("answered with status " + std::to_string(a.status) + ", which nobody said", a.request,
             a.now_ns);
    }
  }

  std::uint64_t open() const override {
    std::uint64_t count = 0;
    for (const message_key& key : waiting_) count += known().maybe_lost(key) ? 0 : 1;
    return count;
  }
  void at_end(std::uint64_t now) override {
    for (const message_key& key : waiting_)
      if (!known().maybe_lost(key)) return fail("asked, and never answered", key, now);
  }

 private:
  void check_here(const answer& a) const {
    if (known().rules().deadline_ns == 0)
      fail("no reply came, and there was no deadline", a.request, a.now_ns);
  }

  std::set<message_key> waiting_, answered_;
};

}  // namespace

std::unique_ptr<checker> make_answers(judge& to) {
  return std::make_unique<answers>(to);
}

}  // namespace holdfast::sim
