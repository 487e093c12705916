// Nothing is handed out after its ack was confirmed; no request after its reply was.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class after_ack final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "after_ack"; }

  void on_delivered(const delivery& d) override {
    const fate* f = known().find(d.key);
    if (f && !f->rotten && f->confirmed_ns != 0 && d.left_ns > f->confirmed_ns)
      fail(d.channel == channel_kind::reqrep ? "executed again after its reply was stored"
                                             : "handed out after its ack was confirmed",
           d.key, d.now_ns);
  }
};

}  // namespace

std::unique_ptr<checker> make_after_ack(judge& to) {
  return std::make_unique<after_ack>(to);
}

}  // namespace holdfast::sim
