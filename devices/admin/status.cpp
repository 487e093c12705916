#include "devices/admin/status.hpp"

#include <nlohmann/json.hpp>

#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

using json = nlohmann::ordered_json;

const char* level_name(level of) noexcept {
  switch (of) {
    case level::process: return "process";
    case level::interval: return "interval";
    case level::disk: return "disk";
  }
  return "unknown";
}

json counts_of(const identity& c) {
  return {{"in", c.in},
          {"acked", c.acked},
          {"settled", c.settled},
          {"in_doubt", c.in_doubt},
          {"ready", c.ready},
          {"in_flight", c.in_flight},
          {"delayed", c.delayed},
          {"prepared", c.prepared},
          {"expired", c.expired},
          {"dead", c.dead},
          {"redriven", c.redriven},
          {"purged", c.purged},
          {"dropped", c.dropped},
          {"lost_at_power", c.lost_at_power}};
}

json consumer_of(const consumer_stats& c) {
  return {{"name", c.name},
          {"kind", c.kind},
          {"in_flight", c.in_flight},
          {"in_doubt", c.in_doubt},
          {"in_doubt_max", c.in_doubt_max},
          {"in_doubt_bytes_min", c.in_doubt_bytes_min},
          {"delivered", c.delivered}};
}

json group_of(const group_stats& g) {
  return {{"name", g.name},
          {"kind", g.kind},
          {"attached", g.attached},
          {"born", g.born},
          {"floor", g.floor},
          {"next", g.next},
          {"lag", g.lag},
          {"counts", counts_of(g.counts)},
          {"passed_over", g.passed_over},
          {"redelivered", g.redelivered}};
}

json stream_of(const stream_stats& s) {
  json made{{"address", s.address},
            {"stream", s.stream},
            {"next_sequence", s.next_sequence},
            {"ack_floor", s.ack_floor},
            {"counts", counts_of(s.counts)},
            {"dropped_by_retention", s.dropped_by_retention},
            {"redelivered", s.redelivered},
            {"duplicates", s.duplicates},
            {"late_acks", s.late_acks},
            {"consumers", json::array()}};
  for (const consumer_stats& c : s.consumers) made["consumers"].push_back(consumer_of(c));
  if (!s.groups.empty()) made["groups"] = json::array();
  for (const group_stats& g : s.groups) made["groups"].push_back(group_of(g));
  return made;
}

const char* tracking_name(plain_tracking of) noexcept {
  switch (of) {
    case plain_tracking::separate: return "separate";
    case plain_tracking::shared: return "shared";
    case plain_tracking::ack_back: return "ack_back";
    case plain_tracking::all_wait: return "all_wait";
    case plain_tracking::lossy: return "lossy";
  }
  return "unknown";
}

json output_of(const output_port& out) {
  const plain_output& o = out.options();
  json made{{"role", "out"},
            {"endpoint", out.actual()},
            {"peers", out.peers()},
            {"tracking", tracking_name(o.peers)},
            {"send_hwm", o.send_hwm_messages}};
  if (o.peers == plain_tracking::separate)
    made.update({{"in_doubt_messages", o.in_doubt_messages},
                 {"in_doubt_bytes_min", o.in_doubt_bytes_min},
                 {"in_doubt_bytes", o.in_doubt_bytes}});
  if (!o.durable.empty()) made["durable"] = o.durable;
  if (const message_transform* by = out.transform())
    made["transcode"] = {{"from", out.options().transcode_from},
                         {"to", out.options().transcode_to},
                         {"changed", by->report().changed},
                         {"failed", by->report().failed},
                         {"last_failure", by->report().last_failure}};
  return made;
}

json endpoints_of(const device_loop::parts& of, std::uint32_t channel) {
  json all = json::array();
  std::size_t at = 0;  // inputs stand in the order of the options
  const auto next_input = [&] {
    const auto& in = of.options.channels[channel].in;
    return at < in.size() ? in[at++] : plain_input();
  };
  for (const auto& in : of.inputs) {
    if (in->channel() != channel) continue;
    const plain_input options = next_input();
    const std::uint64_t ahead = in->read_ahead_bytes();
    all.push_back({{"role", "in"},
                   {"endpoint", in->actual()},
                   {"receive_hwm", ahead == 0 ? options.receive_hwm_messages : 0},
                   {"read_ahead_bytes", ahead},
                   {"subscribes", options.subscribes},
                   {"messages", in->messages()},
                   {"bytes", in->bytes()},
                   {"too_large", in->too_large()}});
  }
  for (const auto& out : of.outputs)
    if (out->channel() == channel) all.push_back(output_of(*out));
  for (const auto& r : of.routers)
    if (r->channel() == channel)
      all.push_back({{"role", r->role()},
                     {"endpoint", r->actual()},
                     {"peers", r->peers()},
                     {"frames", r->frames()},
                     {"too_large", r->too_large()},
                     {"evicted", r->evicted()},
                     {"unreachable", r->unreachable()}});
  for (const ack_back_port& a : of.ack_backs)
    if (a.channel == channel)
      all.push_back({{"role", "ack_back"},
                     {"endpoint", a.actual},
                     {"taken", a.taken},
                     {"garbage", a.garbage}});
  return all;
}

json retention_of(const pubsub_options& of) {
  return {{"age_ms", of.retention_age_ns / ms_ns},
          {"bytes", of.retention_bytes},
          {"records", of.retention_records},
          {"until_acked", of.retention_until_acked}};
}
// Queues and services.
json retention_of(const auto& of) {
  return {{"age_ms", of.retention.all.age_ns / ms_ns},
          {"bytes", of.retention.all.bytes},
          {"records", of.retention.all.records},
          {"own_rules", of.retention.some.size()}};
}

json channel_of(const device_loop::parts& of, const channel_stats& c, std::uint32_t index) {
  json made{{"name", c.name},
            {"pattern", c.pattern},
            {"durability", level_name(c.durability)},
            {"sessions", c.sessions},
            {"producers", c.producers},
            {"bad_frames", c.bad_frames},
            {"stale_frames", c.stale_frames},
            {"resyncs", c.resyncs},
            {"refusals", c.refusals},
            {"resets", c.resets},
            {"plain_refused", c.plain_refused},
            {"unanswered", c.unanswered},
            {"rejected", c.rejected},
            {"endpoints", endpoints_of(of, index)},
            {"streams", json::array()}};
  const channel_options& options = of.options.channels[index];
  made["max_message"] = options.settings().max_message;
  made["retention"] = std::visit([](const auto& o) { return retention_of(o); }, options.pattern);
  if (c.durability == level::interval) made["interval_ms"] = c.interval_ms;
  for (const stream_stats& s : c.streams) made["streams"].push_back(stream_of(s));
  return made;
}

json journal_of(const device_loop::parts& of) {
  const journal_stats s = of.records->stats();
  const marks& m = of.core->reached();
  const room left = of.core->available();
  return {{"epoch", s.epoch},
          {"segments", s.segments},
          {"spare_segments", s.spare_segments},
          {"disk_bytes", s.disk_bytes},
          {"live_bytes", s.live_bytes},
          {"unsynced_bytes", s.unsynced_bytes},
          {"tail_bytes", s.tail_bytes},
          {"records", s.records},
          {"checkpoints", s.checkpoints},
          {"syncs", s.syncs},
          {"loads", s.loads},
          {"recycled", s.recycled},
          {"relocated", s.relocated},
          {"rewritten", s.rewritten},
          {"corrupt", s.corrupt},
          {"full", s.full},
          {"held", s.held},
          {"appended", m.appended},
          {"written", m.written},
          {"synced", m.synced},
          {"room_bytes", left.message_bytes},
          {"reply_room_bytes", left.reply_bytes},
          {"failure", m.failure ? std::string(m.failure->text()) : ""}};
}

json loop_of(const device_loop::parts& of) {
  const engine_counts& c = of.core->counts();
  return {{"turns", c.turns},
          {"records", c.records},
          {"record_bytes", c.record_bytes},
          {"frames", c.frames},
          {"deliveries", c.deliveries},
          {"delivered_messages", c.delivered_messages},
          {"delivered_bytes", c.delivered_bytes},
          {"unreadable", c.unreadable},
          {"held_frames", of.core->held()},
          {"paused_turns", of.paused_turns},
          {"unrouted", of.unrouted}};
}

}  // namespace

std::string make_status(const device_loop::parts& of, instant at) {
  json made{{"name", of.options.name},
            {"data", of.options.data},
            {"uptime_ms", (at.now_ns - of.started_ns) / ms_ns},
            {"state", of.taking ? "running" : "stopping"},
            {"channels", json::array()},
            {"journal", journal_of(of)},
            {"loop", loop_of(of)}};
  for (const auto& [key, value] : of.bridge_note.words) made["bridge"][key] = value;
  for (const auto& [key, value] : of.bridge_note.figures) made["bridge"][key] = value;
  const std::vector<channel_stats> all = of.core->report();
  for (std::uint32_t i = 0; i < all.size(); ++i)
    made["channels"].push_back(channel_of(of, all[i], i));
  // Names come from peers: bytes that are no UTF-8 are replaced, not thrown at.
  return made.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string make_description(const device_loop::parts& of, instant at) {
  std::string whole = make_status(of, at);
  if (whole.size() <= description_bytes_max) return whole;
  json made = json::parse(whole);
  for (json& channel : made["channels"]) {
    channel["streams_left_out"] = channel["streams"].size();
    channel["streams"] = json::array();
  }
  return made.dump();
}

std::string answer_request(const device_loop::parts& of, std::string_view request, instant at) {
  if (request.empty() || request == "status") return make_status(of, at);
  if (request == "ping") return R"({"pong":true})";
  return R"({"error":"unknown request; write status or ping"})";
}

}  // namespace holdfast
