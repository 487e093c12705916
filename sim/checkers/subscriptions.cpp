// A subscription gets everything that was accepted from its begin on and that it asked for, in the
// order of sequences, nothing twice in one run, nothing again that it acked for good. Below level
// disk a power loss shakes it: its promises begin again where it is attached next.
#include <algorithm>
#include <set>

#include "sim/checkers/checker.hpp"

namespace holdfast::sim {
namespace {

class subscriptions_kept final : public checker {
 public:
  using checker::checker;
  const char* name() const noexcept override { return "subscriptions"; }

  void on_attached(const subscription_start& a) override {
    row& s = rows_[a.subscription];
    // Told a place that was not written yet, an unnamed one begins lower after a kill.
    const bool lower = !a.durable && a.at.epoch == s.begin.epoch && a.at < s.begin;
    if (s.began && !s.shaken && !lower) return;
    s.topic = a.topic;
    s.from_first = a.from_first && !s.began;
    s.began = true;
    s.shaken = false;
    s.begin = a.at;
    s.began_ns = a.now_ns;
    s.last = {};
  }
  void on_subscriber_began(std::uint32_t subscription) override { rows_[subscription].last = {}; }
  void on_subscription_ended(std::uint32_t subscription) override {
    rows_[subscription].ended = true;
  }
  void on_gap(std::uint32_t subscription, std::uint64_t first, std::uint64_t count,
              std::uint64_t) override {
    rows_[subscription].gaps.emplace_back(first, first + count);
  }
  void on_passed(std::uint32_t subscription, const place& through, promise at,
                 std::uint64_t left_ns, std::uint64_t) override {
    row& s = rows_[subscription];
    if (known().gone_since(at, left_ns) || through <= s.confirmed) return;
    s.confirmed = through;
    s.confirmed_left_ns = left_ns;
  }
  void on_power_lost(std::uint64_t) override {
    if (!known().rules().below_disk(channel_kind::pubsub)) return;
    for (auto& [number, s] : rows_) {
      s.shaken = s.began;
      s.confirmed = {};
    }
  }

  void on_delivered(const delivery& d) override {
    if (d.subscription == 0 || d.key.producer == 0) return;
    row& s = rows_[d.subscription];
    if (!s.began) return fail("delivered before it was attached", d.key, d.now_ns);
    if (!s.wants(d.key)) fail("delivered what was not asked for", d.key, d.now_ns);
    if (d.where <= s.last)
      fail("sequence " + std::to_string(d.where.sequence) + " after " +
               std::to_string(s.last.sequence),
           d.key, d.now_ns);
    if (d.where.epoch == s.begin.epoch && d.where.sequence < s.begin.sequence)
      fail("delivered from before its begin", d.key, d.now_ns);
    if (d.where.epoch == s.confirmed.epoch && d.where.sequence <= s.confirmed.sequence &&
        d.left_ns > s.confirmed_left_ns)
      fail("delivered again after its ack was confirmed", d.key, d.now_ns);
    s.last = d.where;
    s.seen.insert(d.key);
  }

  std::uint64_t open() const override {
    std::uint64_t count = 0;
    for_each_missing([&](std::uint32_t, const message_key&) { return ++count, true; });
    return count;
  }
  void at_end(std::uint64_t now) override {
    for_each_missing([&](std::uint32_t subscription, const message_key& key) {
      fail("accepted, and never delivered to subscription " + std::to_string(subscription), key,
           now);
      return false;
    });
  }

 private:
  struct row {
    std::string topic;
    bool from_first = false, began = false, ended = false, shaken = false;
    place begin, last, confirmed;
    std::uint64_t began_ns = 0, confirmed_left_ns = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // [first, end)
    std::set<message_key> seen;

    bool wants(const message_key& key) const {
      return topic.empty() || static_cast<unsigned char>(topic.back()) == (key.producer & 0xff);
    }
  };

  static bool in_a_gap(const row& s, std::uint64_t sequence) {
    return std::any_of(s.gaps.begin(), s.gaps.end(), [&](const auto& gap) {
      return sequence >= gap.first && sequence < gap.second;
    });
  }
  /// Retention alone may take away what was accepted.
  bool must_come(const row& s, const fate& f) const {
    const bool forgets = known().rules().retention;
    if (f.where.sequence != 0 && f.where.epoch == s.begin.epoch)
      return f.where.sequence >= s.begin.sequence && !(forgets && in_a_gap(s, f.where.sequence));
    if (forgets || !s.gaps.empty()) return false;
    return f.sent_ns > s.began_ns || (s.from_first && f.where.sequence == 0);
  }
  template <class F>
  void for_each_missing(F&& f) const {
    for (const auto& [number, s] : rows_) {
      if (!s.began || s.ended || s.shaken) continue;
      for (const auto& [key, m] : known().all()) {
        if (m.channel != channel_kind::pubsub || m.accepted_ns == 0 || m.excused) continue;
        if (!s.wants(key) || s.seen.contains(key) || !must_come(s, m)) continue;
        if (!f(number, key)) return;
      }
    }
  }

  std::map<std::uint32_t, row> rows_;
};

}  // namespace

std::unique_ptr<checker> make_subscriptions(judge& to) {
  return std::make_unique<subscriptions_kept>(to);
}

}  // namespace holdfast::sim
