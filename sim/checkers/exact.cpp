// Parts, boundaries and bytes are as they were sent; a reply is the one to its request.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class exact final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "exact"; }

  void on_delivered(const delivery& d) override {
    if (d.key.producer != 0 && !d.exact)
      fail("delivered: other bytes or other parts than were sent", d.key, d.now_ns);
  }
  void on_answered(const answer& a) override {
    if (a.status == 200 && !a.exact)
      fail("answered: not the reply to this request", a.request, a.now_ns);
  }
};

}  // namespace

std::unique_ptr<checker> make_exact(judge& to) {
  return std::make_unique<exact>(to);
}

}  // namespace holdfast::sim
