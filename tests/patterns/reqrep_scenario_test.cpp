// Request-reply as stories (scenarios/reqrep/*.txt): one channel over a log that makes records
// durable when the story says so, and the test as its peers. After every command what the device
// sends is printed; accounts and rows are checked after every turn.
//
//   options [attempt=MS] [attempts=N] [deadline=MS] [queue=N] [ttl=MS] [bytes=N] [heartbeat=MS]
//           [records=N] [age=MS]: limits of services
//   plain|ready|mdp PEER PART... [service=]   a multipart: '' is empty, 0x.. is hex, $D the id of
//                                              the last dispatch to PEER, $D2 of the one before
//   rep PEER [service=]      a REP worker connects
//   stuck PEER | hello PEER [id=] [nonce=N]
//   attach PEER requester|replier|replies [service=]
//   request PEER NUMBER ID:TEXT... [deadline=MS] [attempts=N] [service=] [bad]
//   credit PEER TOTAL [replies] [service=]
//   reply PEER SEQUENCE ID TEXT [ID TEXT]... [status=N] [attempt=N] [service=]
//   ack PEER A..B [number=N] [service=]   nack|release|reject PEER SEQUENCE [reason=]   touch PEER
//   counts [service=] | rows [service=]
// and the commands of channel_story.hpp.
#include <doctest/doctest.h>

#include "tests/patterns/channel_story.hpp"
#include "tests/patterns/reqrep_world.hpp"

using namespace holdfast;

namespace {

bytes16 id_of(const std::string& word) {
  bytes16 id{};
  for (std::size_t i = 0; i < word.size() && i < id.size(); ++i)
    id[i] = static_cast<std::byte>(word[i]);
  return id;
}

std::string word_of(const bytes16& id) {
  std::string made;
  for (const std::byte b : id)
    if (b != std::byte{0}) made += static_cast<char>(b);
  return made;
}

std::string show_part(const std::string& part) {
  if (part.empty()) return "''";
  const dispatch_id id = dispatch_from(as_bytes_view(part.data(), part.size()));
  if (id.stream != no_stream && id.stream < 100 && id.attempt < 100)
    return "<" + std::to_string(id.sequence) + "/" + std::to_string(id.attempt) + ">";
  std::string made;
  for (const char c : part) {
    if (std::isprint(static_cast<unsigned char>(c))) {
      made += c;
      continue;
    }
    char hex[8];
    std::snprintf(hex, sizeof hex, "\\x%02x", static_cast<unsigned char>(c));
    made += hex;
  }
  return made;
}

struct reqrep_peer : story_peer {
  std::vector<std::string> dispatches;
};

class reqrep_story final : public channel_story<reqrep_world, reqrep_options, reqrep_peer> {
 private:
  void options(const scenario_command& c) override {
    options_.attempt_ns = c.number("attempt", 5000) * ms_ns;
    options_.attempts_max = static_cast<std::uint32_t>(c.number("attempts", 3));
    options_.deadline_ns = c.number("deadline", 0) * ms_ns;
    options_.queue_max = static_cast<std::uint32_t>(c.number("queue", 10'000));
    options_.reply_ttl_ns = c.number("ttl", 600'000) * ms_ns;
    options_.reply_bytes_max = c.number("bytes", 1 << 30);
    options_.retention.all = {c.number("age", 0) * ms_ns, 0, c.number("records", 0)};
    options_.worker_heartbeat_ms = static_cast<std::uint32_t>(c.number("heartbeat", 2500));
  }

  std::string service_of(const scenario_command& c) { return c.text("service", "default"); }
  stream_id stream_of(const scenario_command& c, bool replies = false) {
    return world_->stream_of(service_of(c) + (replies ? ".reply" : ""));
  }
  bool command(const scenario_command& c) override {
    static const std::map<std::string, void (reqrep_story::*)(const scenario_command&)> verbs = {
        {"hello", &reqrep_story::hello},     {"attach", &reqrep_story::attach},
        {"request", &reqrep_story::request}, {"credit", &reqrep_story::credit},
        {"ack", &reqrep_story::ack},         {"nack", &reqrep_story::nack},
        {"release", &reqrep_story::nack},    {"reject", &reqrep_story::nack},
        {"touch", &reqrep_story::touch},     {"reply", &reqrep_story::reply},
        {"plain", &reqrep_story::foreign},   {"ready", &reqrep_story::foreign},
        {"mdp", &reqrep_story::foreign},     {"counts", &reqrep_story::counts},
        {"rows", &reqrep_story::rows},       {"rep", &reqrep_story::rep},
        {"stuck", &reqrep_story::stuck},
    };
    return play(*this, c, verbs);
  }

  void rep(const scenario_command& c) { world_->join(of(c).id, stream_of(c)); }
  void stuck(const scenario_command& c) {
    world_->stuck = c.words.at(0) == "nobody" ? 0 : of(c).id;
  }
  void foreign(const scenario_command& c) {
    reqrep_peer& p = of(c);
    std::vector<std::string> parts;
    for (std::size_t i = 1; i < c.words.size(); ++i) parts.push_back(part_of(c.words[i], p));
    const door where = c.verb == "plain" ? door::plain : c.verb == "mdp" ? door::mdp : door::ready;
    world_->receive_parts(p.id, where, stream_of(c), parts);
  }
  std::string part_of(const std::string& word, const reqrep_peer& p) {
    if (word == "''") return {};
    if (word == "$D" || word == "$D2")
      return p.dispatches.at(p.dispatches.size() - (word == "$D" ? 1 : 2));
    if (!word.starts_with("0x")) return word;
    std::string made;
    for (std::size_t i = 2; i + 1 < word.size(); i += 2)
      made += static_cast<char>(std::stoul(word.substr(i, 2), nullptr, 16));
    return made;
  }

  void hello(const scenario_command& c) { greet(c, hello_of(c)); }
  void attach(const scenario_command& c) {
    holdfast::attach f;
    f.request = 1;
    f.role = c.has("replier")   ? attach_role::consume
             : c.has("replies") ? attach_role::replies
                                : attach_role::produce;
    f.address = c.text("service", "");
    send_long(c, f);
  }
  void request(const scenario_command& c) {
    block_packer packer;
    for (std::size_t i = 2; i < c.words.size(); ++i) {
      const auto colon = c.words[i].find(':');
      const std::string text = c.words[i].substr(colon + 1);
      request_head head;
      head.id = id_of(c.words[i].substr(0, colon));
      head.attempts_max = static_cast<std::uint16_t>(c.number("attempts", 0));
      if (const std::uint64_t ms = c.number("deadline", 0))
        head.deadline_ms = world_->at.real_ns / ms_ns + ms;
      std::array<std::byte, head_bytes_max> buffer;
      std::size_t size = encode(buffer, head);
      if (c.number("bad", 0)) --size;
      const std::array<bytes_view, 2> parts{bytes_view(buffer).first(size),
                                            as_bytes_view(text.data(), text.size())};
      packer.add(parts, 0);
    }
    sealed_block b = packer.seal();
    send_small(c,
               publish{stream_of(c), std::stoull(c.words.at(1)), b.count, b.props_mask, b.body_sum},
               {b.body});
  }
  void credit(const scenario_command& c) {
    send_small(c, holdfast::credit{stream_of(c, c.has("replies")), std::stoull(c.words.at(1)),
                                   1 << 30, false});
  }
  void reply(const scenario_command& c) {
    reply_head head;
    head.status = static_cast<std::uint16_t>(c.number("status", 200));
    head.sequence = std::stoull(c.words.at(1));
    head.worker = c.words[0];
    const std::uint64_t first = head.sequence;
    block_packer packer;
    for (std::size_t i = 2; i < c.words.size(); i += 2, ++head.sequence) {
      head.id = id_of(c.words[i]);
      std::array<std::byte, head_bytes_max> buffer;
      const std::size_t size = encode(buffer, head);
      const std::string& text = c.words.at(i + 1);
      packer.add(
          std::array{bytes_view(buffer).first(size), as_bytes_view(text.data(), text.size())}, 0);
    }
    sealed_block b = packer.seal();
    send_small(c,
               reply_frame{stream_of(c),
                           {first, b.count},
                           static_cast<std::uint16_t>(c.number("attempt", 1)),
                           b.body_sum},
               {b.body});
  }
  void ack(const scenario_command& c) {
    send_long(c, holdfast::ack{stream_of(c, true), ++of(c).acks, parse_ranges(c)});
  }
  void nack(const scenario_command& c) { send_long(c, nack_of(c, stream_of(c))); }
  void touch(const scenario_command& c) {
    send_long(c, holdfast::touch{stream_of(c), c.number("extend", 0), parse_ranges(c)});
  }

  void counts(const scenario_command& c) {
    for (const bool replies : {false, true}) {
      const identity i = world_->counts(service_of(c) + (replies ? ".reply" : ""));
      out_ += (replies ? "replies " : "requests ") + std::to_string(i.in) + " =" +
              figures_text({{"acked", i.acked},
                            {"settled", i.settled},
                            {"ready", i.ready},
                            {"in_flight", i.in_flight},
                            {"delayed", i.delayed},
                            {"expired", i.expired},
                            {"dead", i.dead},
                            {"dropped", i.dropped}}) +
              "\n";
    }
  }
  void rows(const scenario_command& c) {
    const service* of = world_->channel().find_service(service_of(c));
    const channel_stats s = world_->stats();
    out_ += "pending " + std::to_string(of->pending.size()) + ", stored " +
            std::to_string(of->stored.size() - of->closed) + ", closed " +
            std::to_string(of->closed) + ", late " + std::to_string(of->late) + ", workers " +
            std::to_string(of->workers) + ", bad frames " + std::to_string(s.bad_frames) +
            (s.unanswered ? ", unanswered " + std::to_string(s.unanswered) : "") +
            (s.rejected ? ", rejected " + std::to_string(s.rejected) : "") + "\n";
  }

  static std::string show_parts(const std::vector<std::string>& parts, reqrep_peer& to) {
    std::string made;
    for (const std::string& part : parts) {
      if (part.size() == dispatch_id_bytes) to.dispatches.push_back(part);
      made += (made.empty() ? "" : " ") + show_part(part);
    }
    return made;
  }
  std::string show(const reqrep_sent& f, reqrep_peer& to) override {
    if (f.form == frame_form::enveloped) return show_parts(f.parts, to);
    const auto number = [](std::uint64_t n) { return std::to_string(n); };
    const bytes_view head = f.head;
    switch (decode_prefix(head)->type) {
      case frame_type::deliver: return show_deliver(f);
      case frame_type::welcome: to.session = decode_welcome(head).value().session; return "WELCOME";
      case frame_type::attached: {
        const attached a = decode_attached(head).value();
        return "ATTACHED stream " + number(a.stream) + " next " + number(a.next_sequence);
      }
      case frame_type::attach_refused:
        return "ATTACH_REFUSED " + std::string(name(decode_attach_refused(head).value().code));
      case frame_type::accept: return "ACCEPT " + number(decode_accept(head).value().through);
      case frame_type::acked: return "ACKED " + number(decode_acked(head).value().through);
      case frame_type::resume: return "RESUME " + number(decode_resume(head).value().expected);
      case frame_type::replied: {
        const replied r = decode_replied(head).value();
        const std::string last = r.requests.count > 1 ? ".." + number(r.requests.end() - 1) : "";
        return "REPLIED " + number(r.requests.first) + last +
               (r.outcome == reply_outcome::stored ? " stored" : " late");
      }
      case frame_type::refuse: {
        const refuse r = decode_refuse(head).value();
        return "REFUSE " + std::string(name(r.code)) + (r.permanent ? " for good" : " for now") +
               " entry " + number(r.bad_entry);
      }
      default: return "frame " + number(static_cast<std::uint64_t>(decode_prefix(head)->type));
    }
  }
  std::string show_deliver(const reqrep_sent& f) {
    const auto d = decode_deliver(f.head).value();
    std::string made = "DELIVER";
    entry_walker walker(f.body.bytes());
    entry e;
    for (std::uint64_t at = f.first; walker.next(e); ++at) {
      std::string parts;
      for (std::size_t i = 1; i < e.parts(); ++i) parts += " " + text_of(e.part(i));
      if (const auto head = decode_reply_head(e.part(0)); head && f.stream % 2 == 0)
        made += " reply " + std::to_string(at) + " to " + std::to_string(head->sequence) + " (" +
                word_of(head->id) + ") " + std::to_string(head->status) + parts;
      else if (const auto asked = decode_request_head(e.part(0)))
        made += " request " + std::to_string(at) + " (" + word_of(asked->id) + ")" + parts;
    }
    if (d.attempt > 1) made += " attempt " + std::to_string(d.attempt);
    if (d.redelivered) made += d.redelivered == 1 ? " maybe again" : " again";
    return made;
  }
};

}  // namespace

TEST_CASE("the stories of request-reply") {
  const std::size_t played =
      run_scenarios(HOLDFAST_SCENARIOS "/reqrep", [] { return std::make_unique<reqrep_story>(); });
  CHECK(played >= 20);
}
