// client_stream: what one stream of an endpoint (an outbox, an assignment) is to the session that
// carries it. The session owns the connection's rules; the stream owns its numbers.
//
// Contract: sans-IO, one thread at a time. Frames given to a stream carry the current session's
// number and name the stream. Time is passed in.
#pragma once

#include <cstdint>
#include <span>

#include "base/clock.hpp"
#include "patterns/frame.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

/// One frame to send: the head (`long_head` replaces `head` when it is set), then the body if there
/// is one.
struct client_frame {
  small_head head;
  buffer_ref long_head;
  buffer_ref body;
  bytes_view first_part() const noexcept { return long_head ? long_head.bytes() : head.bytes(); }
};

/// One frame as received. Valid during the call; references may be kept.
struct client_input {
  frame_type type{};
  buffer_ref head;
  std::span<const buffer_ref> parts;  ///< after the head
};

class client_stream {
 public:
  virtual ~client_stream() = default;

  /// Role, address and level to attach with; the session fills in the request's number.
  virtual attach request() const = 0;
  virtual void on_attached(const attached& f, const welcome& limits, instant at) = 0;
  /// A refusal for good; the transient ones the session asks again.
  virtual void on_attach_refused(const attach_refused& f) = 0;
  /// The session is gone; another may follow.
  virtual void on_session_lost() = 0;
  /// False: the frame breaks the protocol or makes no sense here; it is counted and dropped.
  virtual bool on_frame(const client_input& in, instant at) = 0;
  virtual void on_tick(instant at) = 0;
  /// The next frame to send in `session`; false when there is none now. Asked only while attached.
  virtual bool next(client_frame& out, std::uint32_t session, instant at) = 0;
  virtual std::uint64_t next_deadline() const = 0;
  /// Asked after a frame: what came cannot be used, and comes whole in another session.
  virtual bool wants_new_session() const { return false; }
};

}  // namespace holdfast
