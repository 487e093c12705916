#include "patterns/session/front.hpp"

#include <algorithm>
#include <map>

#include "base/planted.hpp"

namespace holdfast {
namespace {

session_options sessions_from(const channel_settings& o) {
  session_options s;
  s.channel = o.name;
  s.heartbeat_ms = o.heartbeat_ms;
  s.heartbeat_misses = o.heartbeat_misses;
  s.sessions_max = o.sessions_max;
  s.producers_max = o.producers_max;
  s.window_messages = o.window_messages;
  s.window_bytes = o.window_bytes;
  s.window_bytes_all = o.window_bytes_all;
  s.max_message = o.max_message;
  s.forget_after_ns = o.forget_after_ns;
  s.planted = o.planted;
  return s;
}

/// Names a channel makes itself, beside the streams that people name.
bool reserved(std::string_view address) noexcept {
  return address.ends_with(".dlq") || address.ends_with(".reply");
}

}  // namespace

front::front(std::string_view kind, channel_settings settings, catalog& names, std::uint64_t seed)
    : settings_(std::move(settings)),
      names_(names),
      random_(seed),
      out_(settings_.durability),
      sessions_(sessions_from(settings_), names, out_, counters_, random_.next()),
      intake_({settings_.durability, settings_.max_message, settings_.producers_max,
               settings_.planted.ignore_number},
              sessions_, out_, *this, counters_),
      kind_(kind) {}

void front::begin(const step& now) {
  now_ = now;
  out_.update(now.log);
  on_progress();
  intake_.begin(now);
}

void front::on_frames(std::span<const frame_in> frames, const step& now) {
  begin(now);
  for (const frame_in& frame : frames) {
    if (frame.from_door == door::hfp)
      on_hfp(frame);
    else
      on_raw(frame);
  }
}

void front::on_hfp(const frame_in& frame) {
  const auto prefix = decode_prefix(frame.head.bytes());
  if (!prefix) return count_bad_frame();
  const session* s = sessions_.on_frame(frame, *prefix, now_.at);
  if (s) switch (prefix->type) {
      case frame_type::publish: intake_.on_publish(*s, frame); break;
      case frame_type::publish_simple: intake_.on_publish_simple(*s, frame); break;
      case frame_type::probe: intake_.on_probe(*s, frame); break;
      case frame_type::attach: read_attach(*s, frame); break;
      default: on_session_frame(*s, prefix->type, frame);
    }
  drop_closed();
}

void front::on_raw(const frame_in&) {
  count_bad_frame();
}

void front::read_attach(const session& s, const frame_in& frame) {
  const result<attach> f = decode_attach(frame.head.bytes());
  if (f) return on_attach(s, *f);
  count_bad_frame();
  refuse_attach(s, 0, errc::bad_frame, "an ATTACH that cannot be read");
}

/// Sessions that ended, and producers that were forgotten: their positions go.
void front::drop_closed() {
  for (const session& s : sessions_.closed()) on_session_closed(s);
  for (const std::uint32_t producer : sessions_.forgotten()) intake_.forget(producer);
  sessions_.closed().clear();
  sessions_.forgotten().clear();
}

void front::tick_sessions() {
  sessions_.on_tick(now_.at);
  drop_closed();
}

void front::lose_session(peer_id peer) {
  sessions_.on_peer_lost(peer, now_.at);
  drop_closed();
}

const stream_def* front::resolve(const session& s, const attach& f, const std::string& address,
                                 bool& fresh) {
  fresh = false;
  if (const stream_def* known = names_.find_stream(settings_.name, address)) return known;
  if (reserved(address)) {
    refuse_attach(s, f.request, errc::denied, "names ending in .dlq or .reply are reserved");
    return nullptr;
  }
  if (names_.stream_count(settings_.name) >= settings_.addresses_max) {
    refuse_attach(s, f.request, errc::full, "the channel has as many addresses as it may");
    return nullptr;
  }
  fresh = true;
  const stream_id made =
      names_.define_stream(settings_.name, address, now_.at, out_.pending()).stream;
  last_stream_def_ = out_.last();
  return names_.find_stream(made);
}

attached front::answer_to(const attach& f, const stream_def& def) const {
  attached answer;
  answer.request = f.request;
  answer.stream = def.stream;
  answer.stream_epoch = def.epoch;
  answer.effective = std::min(f.need, settings_.durability);
  answer.interval_ms = settings_.durability == level::interval ? settings_.interval_ms : 0;
  return answer;
}

bool front::attach_producer(const session& s, const attach& f, attached& answer) {
  if (intake_.attach(s, answer.stream, f.need, answer)) return true;
  refuse_attach(s, f.request, errc::full, "as many producers x streams as there may be");
  return false;
}

void front::send_attached(const session& s, const attached& answer) {
  out_.send_after(last_stream_def_, long_frame(s.peer, s.number, answer));
}

void front::refuse_attach(const session& s, std::uint32_t request, errc code, const char* text) {
  out_.send(long_frame(s.peer, s.number, attach_refused{request, code, text}));
}

std::string front::name_of(const session& s) const {
  const producer_def* who = names_.find_producer(s.producer);
  return who && who->named ? who->id.substr(settings_.name.size() + 1)
                           : "session " + std::to_string(s.number);
}

void front::acked_later(const session& s, stream_id stream, std::uint64_t through) {
  acks_now_.push_back({0, s.number, stream, through});
}

void front::hand_out(ready& out) {
  for (ack_told& a : acks_now_) {
    a.after = planted(bug::ack_confirmed_early) ? 0 : out_.last();
    acks_.push_back(a);
  }
  acks_now_.clear();
  send_acked();
  out_.take(out);
}

/// ACKED, one per consumer: the last that is durable says it all.
void front::send_acked() {
  std::map<std::pair<std::uint32_t, stream_id>, std::uint64_t> told;
  while (!acks_.empty() && acks_.front().after <= out_.reached()) {
    std::uint64_t& through = told[{acks_.front().session, acks_.front().stream}];
    through = std::max(through, acks_.front().through);
    acks_.pop_front();
  }
  for (const auto& [who, through] : told)
    if (const session* s = sessions_.find(who.first)) reply(out_, *s, acked{who.second, through});
}

void front::start_names(const std::string& default_address) {
  names_.define_channel(settings_.name, kind_, now_.at, out_.pending());
  names_.define_stream(settings_.name, default_address, now_.at, out_.pending());
  if (!planted(bug::stream_epoch_unchanged))
    names_.raise_epochs(settings_.name, settings_.durability, now_.at, out_.pending());
  last_stream_def_ = out_.last();
}

void front::start_sessions() {
  sessions_.start(now_.at);
  intake_.start();
}

void front::replay_front(const record_view& record) {
  if (record.head.type == record_type::producer_gone) intake_.forget(record.head.producer);
  if (record.head.type == record_type::block) intake_.replay_block(record.head);
}

void front::report_front(channel_stats& out) const {
  out.name = settings_.name;
  out.pattern = kind_;
  out.durability = settings_.durability;
  out.interval_ms = settings_.durability == level::interval ? settings_.interval_ms : 0;
  out.sessions = sessions_.size();
  out.producers = names_.producer_count();
  out.bad_frames = counters_.bad_frames;
  out.stale_frames = counters_.stale_frames;
  out.resyncs = counters_.resyncs;
  out.refusals = counters_.refusals;
  out.resets = counters_.resets;
}

}  // namespace holdfast
