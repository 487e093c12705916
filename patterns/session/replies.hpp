// replies: frames of a session in the form its peer speaks: fixed heads, or MessagePack maps for
// simple peers.
#pragma once

#include "patterns/frame_codec.hpp"
#include "patterns/outgoing.hpp"
#include "patterns/session/sessions.hpp"

namespace holdfast {

/// A frame of variable size.
template <class F>
frame_out long_frame(peer_id to, std::uint32_t session_number, const F& f) {
  frame_out made;
  made.to = to;
  made.body = encode(session_number, f);
  return made;
}

/// accept, resync, resume, acked.
template <class F>
void reply(outgoing& out, const session& s, const F& f) {
  frame_out made;
  made.to = s.peer;
  if (s.simple) {
    made.form = frame_form::simple;
    made.body = encode_simple(s.number, f);
  } else {
    encode(made.head, s.number, f);
  }
  out.send(std::move(made));
}

}  // namespace holdfast
