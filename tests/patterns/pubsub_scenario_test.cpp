// Pub/sub as stories (scenarios/pubsub/*.txt): one channel over a log that makes records durable
// when the story says so, and the test as its peers. After every command what the device sends is
// printed; the accounting of every subscription is checked after every turn.
//
//   options [level=disk|process] [bytes=N] [age=MS] [records=N] [until_acked]
//           [subscriptions=N] [prefixes=N]
//   hello PEER [id=NAME] [nonce=N]
//   subscribe PEER [NAME] [start=next|first|last|sequence|time] [at=N] [filter=P,P...]
//   pub TEXT...   a block of messages over a plain socket; parts of a message are joined by |
//   credit PEER TOTAL [bytes=N]    ack PEER SEQUENCE    nack PEER SEQUENCE
//   join PEER [durable=NAME] [all_wait|lossy] [in_doubt=N] [room=N]
//   want PEER PREFIX...    unwant PEER PREFIX...    (a PREFIX of * is the empty one)
//   report PEER handed=N room=N [idle]
//   unreadable A..B    forget NAME
//   groups        where every subscription's messages are;   kept: what the stream keeps
// and the commands of channel_story.hpp.
#include <doctest/doctest.h>

#include <sstream>

#include "tests/patterns/channel_story.hpp"
#include "tests/patterns/pubsub_world.hpp"

using namespace holdfast;

namespace {

std::vector<std::string> split(const std::string& line, char by) {
  std::vector<std::string> made;
  std::istringstream in(line);
  for (std::string word; std::getline(in, word, by);) made.push_back(word == "*" ? "" : word);
  return made;
}

class pubsub_story final : public channel_story<pubsub_world, pubsub_options> {
 private:
  void options(const scenario_command& c) override {
    if (c.text("level", "disk") == "process") options_.durability = level::process;
    options_.retention_bytes = c.number("bytes", 0);
    options_.retention_age_ns = c.number("age", 0) * ms_ns;
    options_.retention_records = c.number("records", 0);
    options_.retention_until_acked = c.has("until_acked");
    options_.subscriptions_max = static_cast<std::uint32_t>(c.number("subscriptions", 100));
    options_.prefixes_max = static_cast<std::uint32_t>(c.number("prefixes", 8));
  }
  bool command(const scenario_command& c) override {
    static const std::map<std::string, void (pubsub_story::*)(const scenario_command&)> verbs = {
        {"hello", &pubsub_story::hello},   {"subscribe", &pubsub_story::subscribe},
        {"pub", &pubsub_story::pub},       {"credit", &pubsub_story::credit},
        {"ack", &pubsub_story::ack},       {"nack", &pubsub_story::nack},
        {"join", &pubsub_story::join},     {"want", &pubsub_story::want},
        {"unwant", &pubsub_story::want},   {"report", &pubsub_story::report},
        {"groups", &pubsub_story::groups}, {"unreadable", &pubsub_story::unreadable},
        {"kept", &pubsub_story::kept},     {"forget", &pubsub_story::forget},
    };
    return play(*this, c, verbs);
  }

  void hello(const scenario_command& c) { greet(c, hello_of(c, of(c).id)); }
  void subscribe(const scenario_command& c) {
    static const std::map<std::string, start_at> starts = {
        {"next", start_at::next},         {"first", start_at::first}, {"last", start_at::last},
        {"sequence", start_at::sequence}, {"time", start_at::time},   {"known", start_at::known}};
    attach f;
    f.role = attach_role::consume;
    if (c.words.size() > 1) f.group = c.words[1];
    f.start = starts.at(c.text("start", "next"));
    f.at = c.number("at", 0);
    // Times of a story count in ms from where it begins.
    if (f.start == start_at::time) f.at = 1'700'000'000ull * second_ns + f.at * ms_ns;
    f.filter = split(c.text("filter", ""), ',');
    send_long(c, f);
  }
  void pub(const scenario_command& c) {
    std::vector<std::vector<std::string>> messages;
    for (const std::string& word : c.words) messages.push_back(split(word, '|'));
    world_->publish(messages);
  }
  void credit(const scenario_command& c) {
    send_small(c, holdfast::credit{world_->stream(), std::stoull(c.words.at(1)),
                                   c.number("bytes", 1 << 30), false});
  }
  void ack(const scenario_command& c) {
    send_long(c, holdfast::ack{world_->stream(), ++of(c).acks, parse_ranges(c)});
  }
  void nack(const scenario_command& c) { send_long(c, nack_of(c, world_->stream())); }
  void join(const scenario_command& c) {
    plain_peer p;
    p.peer = of(c).id;
    p.name = c.words[0];
    p.durable = c.text("durable", "");
    if (c.has("all_wait")) p.tracking = plain_tracking::all_wait;
    if (c.has("lossy")) p.tracking = plain_tracking::lossy;
    p.in_doubt_messages = static_cast<std::uint32_t>(c.number("in_doubt", 4096));
    world_->joined(p);
    world_->report({p.peer, 0, c.number("room", 100), false});
  }
  void want(const scenario_command& c) {
    for (std::size_t i = 1; i < c.words.size(); ++i) {
      std::string frame(1, c.verb == "want" ? '\1' : '\0');
      if (c.words[i] != "*") frame += c.words[i];
      world_->receive(of(c).id, as_bytes_view(frame.data(), frame.size()), {}, door::plain);
    }
  }
  void report(const scenario_command& c) {
    world_->report({of(c).id, c.number("handed", 0), c.number("room", 0), c.has("idle")});
  }
  void unreadable(const scenario_command& c) { world_->unreadable = parse_range(c.words.at(0)); }
  void forget(const scenario_command& c) {
    out_ += world_->channel().forget_subscription(c.words.at(0), world_->now()) ? "forgotten\n"
                                                                                : "not now\n";
    world_->turn();
  }
  void kept(const scenario_command&) {
    const history& h = world_->channel().kept();
    out_ += "kept " + std::to_string(h.lowest()) + " up to " + std::to_string(h.next() - 1) +
            ", durable up to " + std::to_string(h.visible() - 1) + ", log trimmed to " +
            std::to_string(world_->trimmed) + "\n";
  }
  void groups(const scenario_command&) {
    const channel_stats all = world_->stats();
    for (const group_stats& g : all.streams.front().groups) {
      std::string line = g.kind + " " + g.name + ": floor " + std::to_string(g.floor) + ", lag " +
                         std::to_string(g.lag) + ", in " + std::to_string(g.counts.in) + " =" +
                         figures_text({{"acked", g.counts.acked},
                                       {"settled", g.counts.settled},
                                       {"in_doubt", g.counts.in_doubt},
                                       {"ready", g.counts.ready},
                                       {"in_flight", g.counts.in_flight},
                                       {"dropped", g.counts.dropped}});
      out_ += line + (g.attached ? "\n" : " (away)\n");
    }
    if (all.plain_refused) out_ += "refused " + std::to_string(all.plain_refused) + "\n";
  }

  std::string show(const pubsub_sent& f, story_peer& to) override {
    if (f.form == frame_form::plain) return "plain" + body_text(f.body.bytes(), "-");
    switch (decode_prefix(f.head)->type) {
      case frame_type::deliver: {
        const auto d = decode_deliver(f.head).value();
        return span_text(d.first_sequence, d.count) + ":" + body_text(f.body.bytes(), "-") +
               (d.redelivered ? d.redelivered == 1 ? " maybe again" : " again" : "");
      }
      case frame_type::welcome:
        to.session = decode_welcome(f.head).value().session;
        to.acks = 0;
        return "WELCOME";
      case frame_type::attached: {
        const attached a = decode_attached(f.head).value();
        return "ATTACHED from " + std::to_string(a.next_sequence) + ", kept from " +
               std::to_string(a.lowest_sequence);
      }
      case frame_type::attach_refused: {
        const attach_refused a = decode_attach_refused(f.head).value();
        return "ATTACH_REFUSED " + std::string(name(a.code)) + ": " + a.text;
      }
      case frame_type::gap: {
        const gap g = decode_gap(f.head).value();
        return "GAP " + span_text(g.messages.first, g.messages.count) +
               (g.cause == gap_cause::retention ? " retention" : " corrupt");
      }
      case frame_type::acked:
        return "ACKED " + std::to_string(decode_acked(f.head).value().through);
      case frame_type::reset: return "RESET";
      case frame_type::refuse:
        return "REFUSE " + std::string(name(decode_refuse(f.head).value().code));
      default: return "frame " + std::to_string(static_cast<int>(decode_prefix(f.head)->type));
    }
  }
};

}  // namespace

TEST_CASE("the stories of pub/sub") {
  const std::size_t played =
      run_scenarios(HOLDFAST_SCENARIOS "/pubsub", [] { return std::make_unique<pubsub_story>(); });
  CHECK(played >= 12);
}
