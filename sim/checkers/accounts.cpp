// The accounting identity holds at every step, for every stream and subscription; within a run of
// the device its figures never fall; and no more is acked than consumers were done with.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class accounts final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "accounts"; }

  void on_finished(const message_key& key, std::uint64_t) override {
    const fate* f = known().find(key);
    if (f && f->channel == channel_kind::pipeline) ++finished_;
  }
  void on_account(const account& a) override {
    if (a.in != a.sum)
      return fail("the accounting of " + std::string(a.name) + " does not add up: in " +
                      std::to_string(a.in) + ", sum " + std::to_string(a.sum),
                  {}, a.now_ns);
    if (!a.whole) return;
    figures& before = before_[{a.channel, std::string(a.name)}];
    if (before.run == a.run && (a.in < before.in || a.acked < before.acked))
      return fail("figures of " + std::string(a.name) + " fall while the device runs", {},
                  a.now_ns);
    before = {a.run, a.in, a.acked};
    if (a.channel == channel_kind::pipeline && a.acked > finished_)
      fail("the device counts " + std::to_string(a.acked) + " acks, consumers were done with " +
               std::to_string(finished_),
           {}, a.now_ns);
  }

 private:
  struct figures {
    std::uint64_t run = 0, in = 0, acked = 0;
  };
  std::map<std::pair<channel_kind, std::string>, figures> before_;
  std::uint64_t finished_ = 0;
};

}  // namespace

std::unique_ptr<checker> make_accounts(judge& to) {
  return std::make_unique<accounts>(to);
}

}  // namespace holdfast::sim
