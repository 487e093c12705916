// The device's end as stories (scenarios/device/*.txt): one pipeline channel over a log that makes
// records durable when the story says so, and the test as its peers. After every command what the
// device sends is printed; the accounting of every queue is checked after every turn.
//
//   options [level=disk|process] [lease=MS] [attempts=N] [sessions=N] [queues=N] [rows=N]
//           [records=N] [bytes=N] [age=MS] [unlimited=QUEUE]
//   hello PEER [id=NAME] [unnamed] [nonce=N] [epoch=N] [heartbeat=MS] [simple] [versions=MIN-MAX]
//   attach PEER produce|consume [queue=NAME] [level=..]
//   publish PEER NUMBER TEXT... [queue=] [session=N] [sum] [cut] [simple]    "(void)" is a void
//   probe PEER    ping PEER    garbage PEER HEX
//   credit PEER TOTAL [bytes=N] [whole] [queue=]
//   ack PEER A..B ... [number=N]     nack|release|reject PEER A..B ... [delay=MS] [reason=WORD]
//   touch PEER A..B ... [extend=MS]
//   join NAME separate|shared|ack_back [in_doubt=N] [in_doubt_bytes=N] [idle=MS]
//   report NAME handed=N room=N [idle]    give_back NAME SEQ...
//   plain TEXT...     messages that came over a plain socket
//   unreadable A..B    counts [queue=]    dead    channel    settled: what the log was told is
//   over, in this life
// and the commands of channel_story.hpp.
#include <doctest/doctest.h>

#include "patterns/range_list.hpp"
#include "tests/patterns/channel_story.hpp"
#include "tests/patterns/device_world.hpp"

using namespace holdfast;

namespace {

level parse_level(const std::string& word) {
  return word == "process" ? level::process : word == "interval" ? level::interval : level::disk;
}

std::string name_of(level l) {
  return l == level::process ? "process" : l == level::interval ? "interval" : "disk";
}

struct device_peer : story_peer {
  bool simple = false;
};

class device_story final : public channel_story<device_world, pipeline_options, device_peer> {
 private:
  void options(const scenario_command& c) override {
    options_.durability = parse_level(c.text("level", "disk"));
    options_.lease_ns = c.number("lease", 30'000) * ms_ns;
    options_.attempts_max = static_cast<std::uint32_t>(c.number("attempts", 16));
    options_.sessions_max = static_cast<std::uint32_t>(c.number("sessions", 100));
    options_.addresses_max = static_cast<std::uint32_t>(c.number("queues", 100));
    options_.producers_max = static_cast<std::uint32_t>(c.number("rows", 100));
    options_.window_bytes_all = c.number("windows", 48 << 20);
    options_.max_message = c.number("max", 1 << 20);
    options_.retention.all = {c.number("age", 0) * ms_ns, c.number("bytes", 0),
                              c.number("records", 0)};
    if (const std::string queue = c.text("unlimited", ""); !queue.empty())
      options_.retention.some = {{queue, false, 0, 0, 0}};
  }
  stream_id stream_of(const scenario_command& c) {
    const stream_def* def = world_->names().find_stream("pipeline", c.text("queue", "default"));
    return def ? def->stream : 99;
  }
  bool command(const scenario_command& c) override {
    static const std::map<std::string, void (device_story::*)(const scenario_command&)> verbs = {
        {"hello", &device_story::hello},
        {"attach", &device_story::attach},
        {"publish", &device_story::publish},
        {"credit", &device_story::credit},
        {"ack", &device_story::ack},
        {"nack", &device_story::nack},
        {"release", &device_story::nack},
        {"reject", &device_story::nack},
        {"touch", &device_story::touch},
        {"join", &device_story::join},
        {"report", &device_story::report},
        {"give_back", &device_story::give_back},
        {"plain", &device_story::plain},
        {"counts", &device_story::counts},
        {"dead", &device_story::dead},
        {"settled", &device_story::settled},
        {"channel", &device_story::channel},
        {"garbage", &device_story::garbage},
        {"probe", &device_story::probe},
        {"ping", &device_story::ping},
        {"unreadable", &device_story::unreadable},
    };
    return play(*this, c, verbs);
  }

  void probe(const scenario_command& c) { send_small(c, holdfast::probe{stream_of(c)}); }
  void ping(const scenario_command& c) { send_bare(c, frame_type::ping); }
  void unreadable(const scenario_command& c) { world_->unreadable = parse_range(c.words.at(0)); }
  void hello(const scenario_command& c) {
    holdfast::hello f = hello_of(c);
    f.simple = of(c).simple = c.has("simple");
    f.version_min = static_cast<std::uint8_t>(c.number("min", 1));
    f.version_max = static_cast<std::uint8_t>(c.number("version", 1));
    greet(c, f);
  }
  void attach(const scenario_command& c) {
    holdfast::attach f;
    f.request = 1;
    f.role = c.has("consume") ? attach_role::consume : attach_role::produce;
    f.address = c.text("queue", "");
    f.need = parse_level(c.text("level", "disk"));
    send_long(c, f);
  }
  void publish(const scenario_command& c) {
    const std::uint64_t number = std::stoull(c.words.at(1));
    if (of(c).simple) return publish_simple_form(c, number);
    block_packer packer;
    for (std::size_t i = 2; i < c.words.size(); ++i) {
      if (c.words[i] == "(void)") {
        packer.add_void(0);
        continue;
      }
      const bytes_view part = as_bytes_view(c.words[i].data(), c.words[i].size());
      packer.add({&part, 1}, 0);
    }
    sealed_block b = packer.seal();
    holdfast::publish f{stream_of(c), number, b.count, b.props_mask, b.body_sum};
    if (c.number("wrong_sum", 0)) f.body_sum ^= 1;
    if (c.number("claims", 0)) f.count = static_cast<std::uint16_t>(c.number("claims", 0));
    send_small(c, f, {b.body});
  }
  void publish_simple_form(const scenario_command& c, std::uint64_t number) {
    std::vector<buffer_ref> parts;
    for (std::size_t i = 2; i < c.words.size(); ++i)
      parts.push_back(copy_to_buffer(as_bytes_view(c.words[i].data(), c.words[i].size())));
    const publish_simple f{stream_of(c), number};
    world_->receive(of(c).id, encode(session_of(c), f).bytes(), parts);
  }
  void credit(const scenario_command& c) {
    const holdfast::credit f{stream_of(c), std::stoull(c.words.at(1)), c.number("bytes", 1 << 30),
                             c.has("whole")};
    if (!of(c).simple) return send_small(c, f);
    send_simple(c, f);
  }
  template <class F>
  void send_simple(const scenario_command& c, const F& f) {
    world_->receive(of(c).id, encode_simple(session_of(c), f).bytes());
  }
  void ack(const scenario_command& c) {
    const std::uint64_t number = c.number("number", ++of(c).acks);
    const holdfast::ack f{stream_of(c), number, parse_ranges(c)};
    if (!of(c).simple) return send_long(c, f);
    send_simple(c, f);
  }
  void nack(const scenario_command& c) { send_long(c, nack_of(c, stream_of(c))); }
  void touch(const scenario_command& c) {
    send_long(c, holdfast::touch{stream_of(c), c.number("extend", 0), parse_ranges(c)});
  }
  void garbage(const scenario_command& c) {
    std::vector<std::byte> bytes;
    if (c.words.size() > 1)
      for (std::size_t i = 0; i + 1 < c.words[1].size(); i += 2)
        bytes.push_back(static_cast<std::byte>(std::stoul(c.words[1].substr(i, 2), nullptr, 16)));
    if (c.number("type", 0)) {  // a prefix of this type in the peer's session, then these bytes
      small_head head;
      encode_bare(head, static_cast<frame_type>(c.number("type", 0)), of(c).session);
      bytes.insert(bytes.begin(), head.bytes().begin(), head.bytes().end());
    }
    world_->receive(of(c).id, bytes);
  }
  void join(const scenario_command& c) {
    plain_peer p;
    p.peer = of(c).id;
    p.tracking = c.has("shared")     ? plain_tracking::shared
                 : c.has("ack_back") ? plain_tracking::ack_back
                                     : plain_tracking::separate;
    p.name = c.words[0];
    p.stream = stream_of(c);
    p.in_doubt_messages = static_cast<std::uint32_t>(c.number("in_doubt", 4096));
    p.in_doubt_bytes = c.number("in_doubt_bytes", 64 << 20);
    p.settle_idle_ns = c.number("idle", 30'000) * ms_ns;
    world_->joined(p);
  }
  void report(const scenario_command& c) {
    world_->report({of(c).id, c.number("handed", 0), c.number("room", 0), c.has("idle")});
  }
  void give_back(const scenario_command& c) {
    std::vector<delivery_id> ids;
    for (const range& r : parse_ranges(c))
      ids.push_back({stream_of(c), static_cast<std::uint32_t>(c.number("epoch", 1)), r.first});
    world_->channel().on_plain_acks(ids, world_->now());
    world_->turn();
  }
  void plain(const scenario_command& c) {
    std::vector<std::vector<std::string>> messages;
    for (const std::string& word : c.words) messages.push_back({word});
    world_->publish(stream_of(c), messages);
  }

  void counts(const scenario_command& c) {
    const identity i = world_->counts(stream_of(c));
    out_ += "in " + std::to_string(i.in) + " =" +
            figures_text({{"acked", i.acked},
                          {"settled", i.settled},
                          {"in_doubt", i.in_doubt},
                          {"ready", i.ready},
                          {"in_flight", i.in_flight},
                          {"delayed", i.delayed},
                          {"dead", i.dead},
                          {"dropped", i.dropped}}) +
            retention_of(stream_of(c)) + "\n";
  }
  std::string retention_of(stream_id stream) {
    const channel_stats s = world_->stats();
    for (const stream_stats& one : s.streams)
      if (one.stream == stream && one.dropped_by_retention != 0)
        return " (" + std::to_string(one.dropped_by_retention) + " by retention)";
    return {};
  }
  void settled(const scenario_command&) {
    std::vector<range> told = world_->settled;
    sort_and_merge(told);
    out_ += "settled";
    for (const range& r : told) out_ += " " + span_text(r.first, r.count);
    out_ += "\n";
  }
  void dead(const scenario_command& c) {
    for (const auto& q : world_->channel().queues()) {
      if (q->def().stream != stream_of(c)) continue;
      for (const dead_letter& d : q->dead().all())
        out_ += span_text(d.messages.first, d.messages.count) +
                (d.why == failure::rejected ? " rejected" : " failed too often") + ", failed " +
                std::to_string(d.failed) + ": " + d.reason + "\n";
    }
  }
  void channel(const scenario_command&) {
    const channel_stats s = world_->stats();
    std::uint64_t duplicates = 0, late = 0;
    for (const stream_stats& one : s.streams) duplicates += one.duplicates, late += one.late_acks;
    out_ += "sessions " + std::to_string(s.sessions) +
            figures_text({{"bad", s.bad_frames},
                          {"stale", s.stale_frames},
                          {"resyncs", s.resyncs},
                          {"refusals", s.refusals},
                          {"resets", s.resets},
                          {"duplicates", duplicates},
                          {"late acks", late}},
                         ", ") +
            "\n";
  }

  std::string show(const sent_frame& f, device_peer& to) override;
  std::string show_control(frame_type type, bytes_view head, device_peer& to);
};

std::string device_story::show(const sent_frame& f, device_peer& to) {
  if (f.form == frame_form::plain) {
    std::string made = "plain" + body_text(f.body.bytes(), "(void)");
    if (f.head.size() == 16)
      made += " (id " + std::to_string(load<std::uint64_t>(f.head.data() + 8)) + ")";
    return made;
  }
  const auto prefix = decode_prefix(f.head);
  if (prefix->type != frame_type::deliver) return show_control(prefix->type, f.head, to);
  const auto d = decode_deliver(f.head).value();
  std::string made =
      "DELIVER " + span_text(d.first_sequence, d.count) + ":" + body_text(f.body.bytes(), "(void)");
  if (f.form == frame_form::simple) made += " (simple)";
  if (d.whole && d.count > 1) made += " (whole)";
  if (d.attempt > 1) made += " attempt " + std::to_string(d.attempt);
  if (d.redelivered) made += d.redelivered == 1 ? " maybe again" : " again";
  return made;
}

std::string device_story::show_control(frame_type type, bytes_view head, device_peer& to) {
  const auto number = [](std::uint64_t n) { return std::to_string(n); };
  switch (type) {
    case frame_type::welcome: {
      const welcome w = decode_welcome(head).value();
      to.session = w.session;
      to.acks = 0;
      return "WELCOME epoch " + number(w.epoch) +
             (options_.window_bytes_all < 1 << 20 ? " window " + number(w.window_bytes) : "");
    }
    case frame_type::refuse_version: return "REFUSE_VERSION";
    case frame_type::reset: return "RESET";
    case frame_type::pong: return "PONG";
    case frame_type::attached: {
      const attached a = decode_attached(head).value();
      return "ATTACHED stream " + number(a.stream) + " next " + number(a.next_number) +
             " accepted " + number(a.accepted_through) + " " + name_of(a.effective);
    }
    case frame_type::attach_refused: {
      const attach_refused a = decode_attach_refused(head).value();
      return "ATTACH_REFUSED " + std::string(name(a.code)) + ": " + a.text;
    }
    case frame_type::accept: {
      const accept a = to.simple ? decode_accept_simple(head).value() : decode_accept(head).value();
      return "ACCEPT " + number(a.through) + " " + name_of(a.reached);
    }
    case frame_type::refuse: {
      const refuse r = decode_refuse(head).value();
      return "REFUSE " + std::string(name(r.code)) + (r.permanent ? " for good" : " for now") +
             (r.count ? " " + span_text(r.first_number, r.count) + " entry " + number(r.bad_entry)
                      : "");
    }
    case frame_type::resync:
      return "RESYNC " +
             number(
                 (to.simple ? decode_resync_simple(head) : decode_resync(head)).value().expected);
    case frame_type::resume:
      return "RESUME " +
             number(
                 (to.simple ? decode_resume_simple(head) : decode_resume(head)).value().expected);
    case frame_type::acked:
      return "ACKED " +
             number((to.simple ? decode_acked_simple(head) : decode_acked(head)).value().through);
    default: return "frame " + number(static_cast<std::uint64_t>(type));
  }
}

}  // namespace

TEST_CASE("the stories of the device") {
  const std::size_t played =
      run_scenarios(HOLDFAST_SCENARIOS "/device", [] { return std::make_unique<device_story>(); });
  CHECK(played >= 20);
}
