// The messages of one producer lie in a line in the order they were sent; and where there is one
// consumer, first deliveries come in the order of sequences.
#include <iterator>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

/// Until then the device has missed the heartbeats of one that was killed: three of 0.4 s at most.
constexpr std::uint64_t noticed_ns = 2'000'000'000;

class order final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "order"; }

  void on_delivered(const delivery& d) override {
    if (!known().find(d.key) || d.where.sequence == 0) return;
    // A request that was lost below level disk is asked again behind later ones.
    const bool asked_late = d.channel == channel_kind::reqrep && known().maybe_lost(d.key);
    // What rotted took its producer's numbers along: it is sent again behind later ones.
    if (!known().unordered(d.key.producer) && !asked_late && !known().rotted()) check_line(d);
    if (!known().rules().one_consumer || d.session == 0 || d.again ||
        d.channel != channel_kind::pipeline)
      return;
    sent& last = last_fresh_[d.session];
    if (d.where <= last.where && was_alone(d, last.left_ns))
      fail("first deliveries of one session out of order: " + std::to_string(d.where.sequence) +
               " after " + std::to_string(last.where.sequence),
           d.key, d.now_ns);
    last = {d.where, d.left_ns};
  }

 private:
  struct line_of {
    std::uint32_t producer = 0, line = 0;
    std::uint64_t epoch = 0;
    auto operator<=>(const line_of&) const = default;
  };
  struct sent {
    place where;
    std::uint64_t left_ns = 0;
  };
  // A former life that was killed counts as a second consumer until its silence is noticed: what
  // was set aside for it goes to the next one after what that was sent meanwhile.
  bool was_alone(const delivery& d, std::uint64_t at_ns) const {
    return d.killed_ns == 0 ||
           at_ns > d.killed_ns + noticed_ns + known().stopped_between(d.killed_ns, at_ns);
  }
  void check_line(const delivery& d) {
    auto& line = lines_[{d.key.producer, d.where.line, d.where.epoch}];
    const auto [at, fresh] = line.try_emplace(d.where.sequence, d.key);
    if (!fresh) return;
    const auto before = at == line.begin() ? line.end() : std::prev(at);
    const auto after = std::next(at);
    if (before != line.end() && !(before->second < d.key))
      return fail("stored before an earlier one of its producer, " + to_text(before->second), d.key,
                  d.now_ns);
    if (after != line.end() && !(d.key < after->second))
      fail("stored after a later one of its producer, " + to_text(after->second), d.key, d.now_ns);
  }

  std::map<std::uint64_t, sent> last_fresh_;  // by consumer session
  std::map<line_of, std::map<std::uint64_t, message_key>> lines_;
};

}  // namespace

std::unique_ptr<checker> make_order(judge& to) {
  return std::make_unique<order>(to);
}

}  // namespace holdfast::sim
