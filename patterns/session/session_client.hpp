// session_client: the endpoint's end of a session: HELLO, heartbeats, and what to do when the
// device is silent, restarts, or gives the place to a newer instance. The table is
// docs/wire_protocol.md, 1.4.
//
// Contract: sans-IO, one thread at a time. After every input the driver takes opens/closes and then
// pulls frames with next() until it is false. A closed connection is never used again: each open is
// a fresh DEALER. fenced and failed are final. Streams outlive the session_client.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "patterns/client_stream.hpp"

namespace holdfast {

struct session_client_options {
  std::string producer_id;  ///< empty: unnamed, 16 random bytes are drawn
  std::uint32_t heartbeat_ms = 1000;
  std::uint32_t heartbeat_misses = 3;
  std::uint64_t hello_timeout_ns = 5 * second_ns;
  std::uint64_t backoff_min_ns = 100 * ms_ns;  ///< doubles with every attempt that fails
  std::uint64_t backoff_max_ns = 5 * second_ns;
  std::uint32_t jitter_percent = 20;  ///< of the back-off, to both sides
};

enum class session_state : std::uint8_t { closed, hello, attaching, live, fenced, failed };
std::string_view name(session_state s) noexcept;

class session_client {
 public:
  /// `random`: draws the nonce of this instance and the jitter.
  session_client(session_client_options options, random_source random);

  /// Before start() or at any time: a stream added later is attached at once.
  void add(client_stream& stream);
  void start(instant at);
  /// Says BYE if there is a session and ends; nothing follows.
  void stop();

  /// One received multipart; empty parts are a broken frame.
  void on_frame(std::span<const buffer_ref> parts, instant at);
  /// The connection has ended, or could not be made.
  void on_disconnect(instant at);
  void on_tick(instant at);
  std::uint64_t next_deadline() const noexcept;

  /// True once for every connection to close, then once for every one to open. A close is taken
  /// before the frames, and drops what was not sent.
  bool take_close() noexcept { return std::exchange(close_, false); }
  bool take_open() noexcept { return std::exchange(open_, false); }
  bool next(client_frame& out, instant at);

  session_state state() const noexcept { return state_; }
  bool final() const noexcept {
    return state_ == session_state::fenced || state_ == session_state::failed;
  }
  /// Why the session is fenced or failed; ok otherwise.
  const status& failure() const noexcept { return failure_; }
  const welcome& current() const noexcept { return welcome_; }
  std::uint64_t bad_frames() const noexcept { return bad_frames_; }
  std::uint64_t stale_frames() const noexcept { return stale_frames_; }
  std::uint64_t sessions() const noexcept { return sessions_; }

 private:
  struct slot {
    client_stream* stream = nullptr;
    std::uint32_t request = 0;
    stream_id id = no_stream;                  // while attached
    std::uint64_t attach_again_ns = never_ns;  // after a transient refusal
    bool answered = false;                     // attached, or refused for good
  };

  bool established() const noexcept {
    return state_ == session_state::attaching || state_ == session_state::live;
  }
  void connect(instant at);
  void lose(instant at);
  void finish(session_state how, status why);
  void queue_hello();
  void queue_attach(slot& s);
  void queue_bare(frame_type type);
  void on_session_frame(const client_input& in, std::uint32_t session, instant at);
  void on_welcome(bytes_view head, instant at);
  void on_attached(bytes_view head, instant at);
  void on_attach_refused(bytes_view head, instant at);
  bool on_refuse(const client_input& in, instant at);
  bool route(stream_id stream, const client_input& in, instant at);
  void settle_attaching() noexcept;
  std::uint64_t backoff();

  session_client_options options_;
  random_source random_;
  hello hello_;
  welcome welcome_;
  status failure_;
  std::vector<slot> slots_;
  std::vector<client_frame> control_;  // frames of the session itself, before those of streams
  std::size_t control_sent_ = 0;
  std::size_t turn_ = 0;  // the slot asked first for its next frame
  session_state state_ = session_state::closed;
  bool open_ = false, close_ = false, started_ = false;
  std::uint32_t next_request_ = 1;
  std::uint64_t retry_at_ns_ = never_ns, hello_until_ns_ = never_ns;
  std::uint64_t heard_ns_ = 0, said_ns_ = 0, backoff_ns_ = 0;
  std::uint64_t bad_frames_ = 0, stale_frames_ = 0, sessions_ = 0;
};

}  // namespace holdfast
