#include "patterns/session/session_client.hpp"

#include <algorithm>

#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

// Refusals that time may heal.
bool transient(errc code) noexcept {
  return code == errc::full || code == errc::paused || code == errc::io || code == errc::in_use;
}

status refusal(errc code, const std::string& what, const std::string& text) {
  return {code, what + " (" + std::string(name(code)) + ")" + (text.empty() ? "" : ": " + text)};
}

}  // namespace

std::string_view name(session_state s) noexcept {
  switch (s) {
    case session_state::closed: return "closed";
    case session_state::hello: return "hello";
    case session_state::attaching: return "attaching";
    case session_state::live: return "live";
    case session_state::fenced: return "fenced";
    case session_state::failed: return "failed";
  }
  return "unknown";
}

session_client::session_client(session_client_options options, random_source random)
    : options_(std::move(options)), random_(random), backoff_ns_(options_.backoff_min_ns) {
  hello_.nonce = random_.bytes16();
  hello_.named = !options_.producer_id.empty();
  hello_.heartbeat_ms = options_.heartbeat_ms;
  hello_.producer_id = options_.producer_id;
  if (!hello_.named) {
    const bytes16 drawn = random_.bytes16();
    hello_.producer_id.assign(reinterpret_cast<const char*>(drawn.data()), drawn.size());
  }
}

void session_client::add(client_stream& stream) {
  slots_.push_back({&stream, next_request_++, no_stream, never_ns, false});
  if (established()) {
    state_ = session_state::attaching;
    queue_attach(slots_.back());
  }
}

void session_client::start(instant at) {
  started_ = true;
  connect(at);
}

void session_client::stop() {
  if (established()) queue_bare(frame_type::bye);
  started_ = false;
  for (slot& s : slots_) s.id = no_stream;
  state_ = session_state::closed;
  retry_at_ns_ = never_ns;
}

void session_client::on_frame(std::span<const buffer_ref> parts, instant at) {
  const auto prefix = parts.empty() ? std::nullopt : decode_prefix(parts[0].bytes());
  if (!prefix || !started_ || final() || state_ == session_state::closed) {
    ++bad_frames_;
    return;
  }
  const client_input in{prefix->type, parts[0], parts.subspan(1)};
  if (in.type == frame_type::refuse_version) {
    const auto offered = decode_refuse_version(in.head.bytes());
    return finish(session_state::failed,
                  {errc::unsupported, "the device speaks HFP versions " +
                                          (offered ? std::to_string(offered->min) + " to " +
                                                         std::to_string(offered->max)
                                                   : std::string("unknown")) +
                                          ", this endpoint version 1; use a matching library"});
  }
  if (prefix->major != protocol_major) {
    ++bad_frames_;
    return;
  }
  on_session_frame(in, prefix->session, at);
}

void session_client::on_session_frame(const client_input& in, std::uint32_t session, instant at) {
  if (in.type == frame_type::welcome) return on_welcome(in.head.bytes(), at);
  const bool ours = established() && session == welcome_.session;
  // A HELLO that is refused has no session yet.
  const bool about_hello = in.type == frame_type::refuse && session == 0;
  if (!ours && !about_hello) {
    ++stale_frames_;
    return;
  }
  heard_ns_ = at.now_ns;
  switch (in.type) {
    case frame_type::reset: return lose(at);
    case frame_type::ping: return queue_bare(frame_type::pong);
    case frame_type::pong: return;
    case frame_type::attached: return on_attached(in.head.bytes(), at);
    case frame_type::attach_refused: return on_attach_refused(in.head.bytes(), at);
    case frame_type::refuse:
      if (!on_refuse(in, at)) ++bad_frames_;
      return;
    case frame_type::gap: {
      const auto f = decode_gap(in.head.bytes());
      if (!f || !route(f->stream, in, at)) ++bad_frames_;
      return;
    }
    default: break;
  }
  // Every other frame of a stream has its number right after the prefix.
  const bytes_view head = in.head.bytes();
  if (head.size() < frame_prefix_bytes + 4 ||
      !route(load<std::uint32_t>(head.data() + frame_prefix_bytes), in, at))
    ++bad_frames_;
}

void session_client::on_disconnect(instant at) {
  if (started_ && !final() && state_ != session_state::closed) lose(at);
}

void session_client::on_tick(instant at) {
  if (!started_ || final()) return;
  if (state_ == session_state::closed) {
    if (at.now_ns >= retry_at_ns_) connect(at);
    return;
  }
  if (state_ == session_state::hello) {
    if (at.now_ns >= hello_until_ns_) lose(at);
    return;
  }
  const std::uint64_t heartbeat = welcome_.heartbeat_ms * ms_ns;
  if (heartbeat && at.now_ns >= heard_ns_ + heartbeat * options_.heartbeat_misses) return lose(at);
  for (slot& s : slots_) {
    if (at.now_ns >= s.attach_again_ns) queue_attach(s);
    if (s.id != no_stream) s.stream->on_tick(at);
  }
  if (heartbeat && at.now_ns >= said_ns_ + heartbeat) queue_bare(frame_type::ping);
}

std::uint64_t session_client::next_deadline() const noexcept {
  if (!started_ || final()) return never_ns;
  if (state_ == session_state::closed) return retry_at_ns_;
  if (state_ == session_state::hello) return hello_until_ns_;
  std::uint64_t first = never_ns;
  const std::uint64_t heartbeat = welcome_.heartbeat_ms * ms_ns;
  if (heartbeat)
    first = std::min(said_ns_ + heartbeat, heard_ns_ + heartbeat * options_.heartbeat_misses);
  for (const slot& s : slots_) {
    first = std::min(first, s.attach_again_ns);
    if (s.id != no_stream) first = std::min(first, s.stream->next_deadline());
  }
  return first;
}

bool session_client::next(client_frame& out, instant at) {
  out = {};
  if (control_sent_ < control_.size()) {
    out = std::move(control_[control_sent_++]);
    said_ns_ = at.now_ns;
    return true;
  }
  control_.clear();
  control_sent_ = 0;
  if (!established()) return false;
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    slot& s = slots_[(turn_ + i) % slots_.size()];
    if (s.id == no_stream || !s.stream->next(out, welcome_.session, at)) continue;
    turn_ = (turn_ + i + 1) % slots_.size();
    said_ns_ = at.now_ns;
    return true;
  }
  return false;
}

void session_client::connect(instant at) {
  state_ = session_state::hello;
  open_ = true;
  hello_until_ns_ = at.now_ns + options_.hello_timeout_ns;
  retry_at_ns_ = never_ns;
  queue_hello();
}

// The connection is given up whole: what was in it may or may not have arrived, and only ATTACHED
// on the next one tells.
void session_client::lose(instant at) {
  for (slot& s : slots_) {
    if (s.id != no_stream) s.stream->on_session_lost();
    s.id = no_stream;
    s.attach_again_ns = never_ns;
  }
  control_.clear();
  control_sent_ = 0;
  close_ = true;
  open_ = false;
  state_ = session_state::closed;
  retry_at_ns_ = at.now_ns + backoff();
}

void session_client::finish(session_state how, status why) {
  lose({});
  state_ = how;
  failure_ = std::move(why);
  retry_at_ns_ = never_ns;
}

void session_client::queue_hello() {
  control_.emplace_back().long_head = encode(0, hello_);
}

void session_client::queue_attach(slot& s) {
  attach f = s.stream->request();
  f.request = s.request;
  s.answered = false;
  s.attach_again_ns = never_ns;
  control_.emplace_back().long_head = encode(welcome_.session, f);
}

void session_client::queue_bare(frame_type type) {
  encode_bare(control_.emplace_back().head, type, welcome_.session);
}

void session_client::on_welcome(bytes_view head, instant at) {
  auto f = decode_welcome(head);
  if (!f || state_ != session_state::hello) {
    f ? ++stale_frames_ : ++bad_frames_;  // a repeated WELCOME changes nothing
    return;
  }
  welcome_ = std::move(*f);
  hello_.epoch = welcome_.epoch;
  heard_ns_ = at.now_ns;
  backoff_ns_ = options_.backoff_min_ns;
  ++sessions_;
  state_ = session_state::attaching;
  for (slot& s : slots_) queue_attach(s);
  settle_attaching();
}

void session_client::on_attached(bytes_view head, instant at) {
  const auto f = decode_attached(head);
  if (!f) {
    ++bad_frames_;
    return;
  }
  for (slot& s : slots_) {
    if (s.request != f->request || s.id != no_stream) continue;
    s.id = f->stream;
    s.answered = true;
    s.stream->on_attached(*f, welcome_, at);
  }
  settle_attaching();
}

void session_client::on_attach_refused(bytes_view head, instant at) {
  const auto f = decode_attach_refused(head);
  if (!f) {
    ++bad_frames_;
    return;
  }
  for (slot& s : slots_) {
    if (s.request != f->request || s.id != no_stream) continue;
    if (transient(f->code)) {
      s.attach_again_ns = at.now_ns + backoff();
    } else {
      s.answered = true;
      s.stream->on_attach_refused(*f);
    }
  }
  settle_attaching();
}

bool session_client::on_refuse(const client_input& in, instant at) {
  const auto f = decode_refuse(in.head.bytes());
  if (!f) return false;
  if (f->code == errc::fenced) {
    finish(session_state::fenced,
           refusal(f->code, "a newer instance of this producer id has taken over", f->text));
    return true;
  }
  if (f->stream != no_stream) return route(f->stream, in, at);
  if (state_ != session_state::hello) return false;
  if (f->permanent)
    finish(session_state::failed, refusal(f->code, "the device refuses this endpoint", f->text));
  else
    lose(at);
  return true;
}

bool session_client::route(stream_id stream, const client_input& in, instant at) {
  // Producing and consuming of one stream may share a session: the frame's type tells which.
  bool taken = false, useless = false;
  for (slot& s : slots_) {
    if (s.id != stream || taken) continue;
    taken = s.stream->on_frame(in, at);
    useless = taken && s.stream->wants_new_session();
  }
  if (useless) lose(at);
  return taken;
}

void session_client::settle_attaching() noexcept {
  const bool all =
      std::all_of(slots_.begin(), slots_.end(), [](const slot& s) { return s.answered; });
  if (all && state_ == session_state::attaching) state_ = session_state::live;
}

std::uint64_t session_client::backoff() {
  const std::uint64_t wait = backoff_ns_;
  backoff_ns_ = std::min(backoff_ns_ * 2, options_.backoff_max_ns);
  if (options_.jitter_percent == 0) return wait;
  const std::uint64_t spread = wait / 100 * options_.jitter_percent;
  return wait - spread + random_.below(2 * spread + 1);
}

}  // namespace holdfast
