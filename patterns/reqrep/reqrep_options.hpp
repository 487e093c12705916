// reqrep_options: what a request-reply channel is set to. Every limit has its unit in its name; the
// meaning of each is in docs/configuration.md.
#pragma once

#include <cstdint>
#include <string>

#include "patterns/channel_settings.hpp"
#include "patterns/queue/queue_limits.hpp"

namespace holdfast {

struct reqrep_options : channel_settings {
  reqrep_options() { name = "reqrep"; }
  std::string default_service = "default";
  std::uint64_t attempt_ns = 5 * second_ns;  ///< a dispatched request is given so long
  std::uint64_t deadline_ns = 0;             ///< in all, where the requester says nothing; 0: below
  std::uint32_t attempts_max = 3;            ///< failed ones; 0 = unlimited
  std::uint64_t backoff_min_ns = 100 * ms_ns;  ///< doubles, +-20 % jitter
  std::uint64_t backoff_max_ns = 60 * second_ns;
  std::uint64_t reply_ttl_ns = 600 * second_ns;    ///< a stored reply is kept so long
  std::uint64_t reply_bytes_max = 1ull << 30;      ///< stored replies in all; the oldest go first
  std::uint32_t queue_max = 10'000;                ///< waiting requests a service; beyond it: full
  retention_rules retention;                       ///< of waiting requests; none: until answered
  std::uint32_t worker_heartbeat_ms = 2500;        ///< Majordomo and READY-style workers
  std::uint32_t worker_liveness = 4;               ///< missed ones
  std::uint64_t worker_busy_ns = 900 * second_ns;  ///< a busy Majordomo worker is given so long

  /// 60 s where nothing is said; a Majordomo client's request has so much more as its attempts may
  /// take (as three of them where they are unlimited).
  std::uint64_t deadline_of(bool mdp) const noexcept {
    if (deadline_ns != 0) return deadline_ns;
    const std::uint64_t attempts = attempts_max != 0 ? attempts_max : 3;
    return 60 * second_ns + (mdp ? attempts * worker_busy_ns : 0);
  }
};

}  // namespace holdfast
