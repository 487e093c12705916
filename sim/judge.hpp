// judge: where applications and the device tell what they saw. It writes the story, asks every
// checker, and keeps the facts and the first violation.
//
// Contract: shares no code with the product. Later violations are ignored. Times in virtual ns.
#pragma once

#include "sim/checkers/checker.hpp"
#include "sim/story.hpp"

namespace holdfast::sim {

/// Beside the checkers: whether everybody came to an end in time, which the world knows, and
/// whether an endpoint gave up, which its application knows.
inline constexpr const char* liveness = "liveness";
inline constexpr const char* endpoint = "endpoint";

class judge {
 public:
  judge(terms rules, story& told);

  // ---- those who send
  // ----------------------------------------------------------------------------
  /// `deadline_ns`: of a request, real time; 0 = none.
  void sent(const message_key& key, channel_kind channel, std::uint64_t now,
            std::uint64_t deadline_ns = 0);
  void accepted(const message_key& key, promise at, promise asked, std::uint64_t left_ns,
                std::uint64_t now);
  /// The application was told that this message is given up.
  void given_up(const message_key& key, std::uint64_t now);
  void unordered(std::uint32_t producer) { known_.set_unordered(producer); }
  void answered(const answer& what, std::string_view who);
  void abandoned(const message_key& request, std::uint64_t now);

  // ---- those who receive
  // -------------------------------------------------------------------------
  /// The key of the message, if it is one that may be delivered.
  message_key delivered(delivery what, const message_parts& content);
  /// The same of a message whose key and exactness are known.
  message_key delivered(const delivery& what);
  void finished(const message_key& key, std::string_view who, std::uint64_t now);
  void confirmed(const message_key& key, promise at, std::string_view who, std::uint64_t left_ns,
                 std::uint64_t now);
  void attached(const subscription_start& what, std::string_view who);
  void gap(std::uint32_t subscription, std::uint64_t first, std::uint64_t count,
           std::string_view who, std::uint64_t now);
  void passed(std::uint32_t subscription, const place& through, promise at, std::uint64_t left_ns,
              std::uint64_t now);
  void subscription_ended(std::uint32_t subscription);
  void subscriber_began(std::uint32_t subscription);
  void frame(const frame_seen& what);

  // ---- the device
  // --------------------------------------------------------------------------------
  void accounts(const account& what);
  void recovered(bool damaged, bool disk_did_harm, std::uint64_t now);
  void power_lost(std::uint64_t now);
  void device_stopped(std::uint64_t from, std::uint64_t until) {
    known_.device_stopped(from, until);
  }
  void rotted(const std::vector<message_key>& keys, std::uint64_t now);

  // ---- the end
  // -----------------------------------------------------------------------------------
  /// What is promised and has not come to an end.
  std::uint64_t open() const;
  /// Faults stopped long enough ago: what is not settled is stuck or lost.
  void end(std::uint64_t now);

  void fail(const char* checker, std::string why, const message_key& about, std::uint64_t now);
  bool failed() const noexcept { return !why_.empty(); }
  const std::string& why() const noexcept { return why_; }
  const std::string& by() const noexcept { return by_; }
  const message_key& about() const noexcept { return about_; }
  const facts& known() const noexcept { return known_; }

  struct totals {
    std::uint64_t sent = 0, accepted = 0, delivered = 0, again = 0, answered = 0;
    totals& operator+=(const totals& more) noexcept;
  };
  const totals& counts() const noexcept { return counts_; }

 private:
  template <class F>
  void each(F&& f) {
    for (const auto& c : checkers_) f(*c);
  }

  facts known_;
  story& story_;
  std::vector<std::unique_ptr<checker>> checkers_;
  totals counts_;
  std::string by_, why_;
  message_key about_;
};

}  // namespace holdfast::sim
