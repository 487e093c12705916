// sessions: the device's side of HELLO .. BYE (docs/wire_protocol.md 1.2): who speaks on which
// connection, with which epoch, and when it is gone. Every pattern uses it as it is.
//
// Contract: sans-IO, one thread. A WELCOME leaves once the producer's definition is durable.
// Producer ids belong to the channel: its name is part of the key in the catalog. Windows: a new
// session is granted a quarter of what is left of window_bytes_all, at most window_bytes, at least
// window_bytes_min; so the sum stays below window_bytes_all + sessions_max * window_bytes_min. A
// closed session gives its grant back.
#pragma once

#include <cstdint>
#include <queue>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "patterns/catalog.hpp"
#include "patterns/frame_codec.hpp"
#include "patterns/outgoing.hpp"
#include "patterns/planted.hpp"

namespace holdfast {

struct session_options {
  std::string channel;
  std::uint32_t heartbeat_ms = 1000;
  std::uint32_t heartbeat_misses = 3;
  std::uint32_t sessions_max = 10'000;
  std::uint32_t producers_max = 100'000;
  std::uint32_t window_messages = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
  std::uint64_t window_bytes_all = 48ull << 20;
  std::uint64_t window_bytes_min = 1024;
  std::uint64_t max_message = 256ull << 20;
  std::uint64_t forget_after_ns = 3600 * second_ns;  ///< unnamed producers, after loss
  planted_bugs planted;
};

struct session {
  std::uint32_t number = 0;
  peer_id peer = 0;
  std::uint32_t producer = 0;  ///< interned
  std::uint32_t epoch = 0;
  bool simple = false;
  std::uint64_t silence_ns = 0;  ///< allowed; 0 = any
  std::uint64_t heard_ns = 0;
  std::uint64_t window_bytes = 0;
  bool lost = false;  ///< closed: without BYE, and not by its own instance on another connection
};

/// What a channel counts of frames it could not use.
struct frame_counters {
  std::uint64_t bad_frames = 0, stale_frames = 0, resyncs = 0, refusals = 0, resets = 0;
};

class sessions {
 public:
  sessions(session_options options, catalog& names, outgoing& out, frame_counters& counters,
           std::uint64_t seed);

  /// Deals with the frame if it belongs to the session itself (HELLO, PING, BYE, strangers, stale
  /// ones) and returns null; else returns the open session it belongs to. Valid during the frame.
  const session* on_frame(const frame_in& frame, const frame_prefix& prefix, instant at);
  void start(instant at);
  void on_peer_lost(peer_id peer, instant at);
  void on_tick(instant at);
  std::uint64_t next_deadline() const noexcept;

  const session* find(std::uint32_t number) const noexcept;
  std::size_t size() const noexcept { return by_peer_.size(); }
  template <class F>
  void for_each(F&& f) const {
    for (const auto& [peer, s] : by_peer_) f(s);
  }
  /// Sessions that ended and producers that were forgotten since the caller last cleared these.
  std::vector<session>& closed() noexcept { return closed_; }
  std::vector<std::uint32_t>& forgotten() noexcept { return forgotten_; }

 private:
  using due = std::pair<std::uint64_t, std::uint64_t>;  // monotonic ns, session or producer number
  using due_heap = std::priority_queue<due, std::vector<due>, std::greater<>>;

  void on_hello(const frame_in& frame, const frame_prefix& prefix, instant at);
  bool admit(const frame_in& frame, const hello& asked, const producer_def* known, instant at);
  void open(peer_id peer, const hello& asked, const producer_def& who, instant at);
  void welcome_again(const session& s);
  enum class ending : std::uint8_t { bye, moved, lost };
  void close(peer_id peer, instant at, ending how);
  void forget(std::uint32_t producer, instant at);
  void refuse(peer_id peer, std::uint32_t number, errc code, std::string text);
  void reset(peer_id peer, std::uint32_t number, instant at);
  std::uint64_t grant_window() noexcept;
  std::string key(std::string_view producer_id) const;

  session_options options_;
  catalog& names_;
  outgoing& out_;
  frame_counters& counters_;
  std::uint32_t next_number_;
  std::uint64_t granted_ = 0;    // bytes of windows
  ordinal last_definition_ = 0;  // every producer record up to here
  std::unordered_map<peer_id, session> by_peer_;
  std::unordered_map<std::uint32_t, peer_id> by_number_;
  std::unordered_map<std::uint32_t, peer_id> by_producer_;
  std::unordered_map<peer_id, std::uint64_t> reset_at_;
  due_heap silent_;
  due_heap forget_;  // entries outlive their reason; checked when due
  std::unordered_map<std::uint32_t, std::uint64_t> forget_at_;
  std::vector<session> closed_;
  std::vector<std::uint32_t> forgotten_;
};

}  // namespace holdfast
