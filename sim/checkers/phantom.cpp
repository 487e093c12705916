// Nothing is delivered, accepted or answered that was not sent.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class phantom final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "phantom"; }

  void on_accepted(const message_key& key, promise, promise, std::uint64_t,
                   std::uint64_t now) override {
    if (!known().find(key)) fail("an accept for what was never sent", key, now);
  }
  void on_delivered(const delivery& d) override {
    if (d.key.producer == 0) return fail("delivered: bytes that nobody sent", {}, d.now_ns);
    const fate* f = known().find(d.key);
    if (!f) return fail("delivered: a message that was never sent", d.key, d.now_ns);
    if (f->channel != d.channel) fail("delivered: a message of another channel", d.key, d.now_ns);
  }
  void on_answered(const answer& a) override {
    if (!known().find(a.request)) fail("answered: a request nobody sent", a.request, a.now_ns);
  }
};

}  // namespace

std::unique_ptr<checker> make_phantom(judge& to) {
  return std::make_unique<phantom>(to);
}

}  // namespace holdfast::sim
