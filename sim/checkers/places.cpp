// A message has one place and a place one message, in all epochs of its line. Below level disk a
// power loss may take a place away; the message may then be sent again and get another.
#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class places final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "places"; }

  void on_delivered(const delivery& d) override {
    const fate* f = known().find(d.key);
    if (!f || d.where.sequence == 0) return;
    const auto [at, fresh] = taken_.try_emplace(d.where, d.key);
    if (!fresh && at->second != d.key)
      return fail("one sequence names two messages, this one and " + to_text(at->second), d.key,
                  d.now_ns);
    const bool may_move = f->rotten || (known().rules().below_disk(d.channel) &&
                                        known().gone_since(promise::none, f->placed_ns));
    const bool moved = f->where.line != d.where.line || f->where.sequence != d.where.sequence;
    if (f->where.sequence != 0 && moved && !may_move && d.left_ns >= f->placed_ns)
      fail("stored twice, as " + std::to_string(f->where.sequence) + " and as " +
               std::to_string(d.where.sequence),
           d.key, d.now_ns);
  }

 private:
  std::map<place, message_key> taken_;
};

}  // namespace

std::unique_ptr<checker> make_places(judge& to) {
  return std::make_unique<places>(to);
}

}  // namespace holdfast::sim
