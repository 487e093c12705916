// The endpoint's machines as stories (scenarios/endpoint/*.txt): one session with one outbox, one
// assignment or one subscription, and the test as its device. After every command what the endpoint
// does is printed: connections opened and closed, frames sent.
//
//   producer [id=NAME] [window=N] [bytes=N] [max=N]     worker [one] [credit=N] [bytes=N]
//   subscriber [durable=NAME] [start=first|last|sequence] [at=N] [topic=PREFIX] [credit=N]
//   start, stop, wait MS
//   from the device: welcome, attached, attach_refused, accept N, resync N, resume N, reset, pong,
//     refuse first=N entry=K [transient] [code=N] [text=..], fenced, version MIN MAX,
//     deliver FIRST TEXT... [run] [attempt=N] [redelivered=N] [corrupt], acked N,
//     attached [sequence=N] [epoch=N], gap FIRST COUNT [cause=N]
//   producer: send TEXT... (parts a|b), at NUMBER TEXT, state
//   worker: take, take_all, ack SEQ..., ack_run, nack|release|reject SEQ [delay=] [reason=],
//     touch SEQ, state
//   subscriber: take, take_all, take_run, ack SEQ, state
#include <doctest/doctest.h>

#include <sstream>

#include "base/checksum.hpp"
#include "patterns/frame_codec.hpp"
#include "patterns/outbox.hpp"
#include "patterns/pubsub/subscriber_stream.hpp"
#include "patterns/queue/assignment.hpp"
#include "patterns/session/session_client.hpp"
#include "tests/patterns/scenario_file.hpp"

using namespace holdfast;

namespace {

constexpr stream_id stream = 3;

bytes_view view(const std::string& text) {
  return as_bytes_view(text.data(), text.size());
}

std::string text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string show(const entry& e) {
  if (e.voided()) return "(void)";
  std::string made;
  for_each_part(e, [&](bytes_view part) { made += (made.empty() ? "" : "|") + text(part); });
  return made.size() > 20 ? std::to_string(e.data.size()) + "B" : made;
}

std::string show(bytes_view body) {
  std::string made;
  entry_walker walker(body);
  for (entry e; walker.next(e);) made += " " + show(e);
  return made + (walker.ok() ? "" : " (broken)");
}

std::string show(const std::vector<range>& ranges) {
  std::string made;
  for (const range& r : ranges)
    made += " " + std::to_string(r.first) +
            (r.count > 1 ? ".." + std::to_string(r.end() - 1) : std::string());
  return made;
}

void add(block_packer& packer, const std::string& message) {
  if (message == "(void)") return packer.add_void(0);
  std::vector<std::string> parts;
  std::istringstream in(message);
  for (std::string part; std::getline(in, part, '|');) parts.push_back(part);
  std::vector<bytes_view> views;
  for (const std::string& part : parts) views.push_back(view(part));
  packer.add(views, 0);
}

class endpoint_world : public scenario_world {
 public:
  std::string run(const scenario_command& c) override {
    out_.str({});
    if (c.verb == "producer") {
      make_producer(c);
    } else if (c.verb == "worker") {
      make_worker(c);
    } else if (c.verb == "subscriber") {
      make_subscriber(c);
    } else if (c.verb == "start") {
      client_->start(now_);
    } else if (c.verb == "stop") {
      client_->stop();
    } else if (c.verb == "disconnected") {
      client_->on_disconnect(now_);
    } else if (c.verb == "wait") {
      wait(std::stoull(c.words.at(0)));
    } else if (!from_device(c) && !producing(c) && !consuming(c) && !subscribing(c)) {
      FAIL("no such command: ", c.verb);
    }
    drain();
    return out_.str();
  }

 private:
  void make_producer(const scenario_command& c) {
    outbox_options options;
    options.named = !c.text("id", "").empty();
    options.window_messages = static_cast<std::uint32_t>(c.number("window", 65'536));
    options.window_bytes = c.number("bytes", 1 << 20);
    options.max_message = c.number("max", 1 << 20);
    outbox_ = std::make_unique<outbox>(options);
    make_client(c, *outbox_);
  }

  void make_worker(const scenario_command& c) {
    assignment_options options;
    options.whole_blocks = !c.has("one");
    options.credit_messages = static_cast<std::uint32_t>(c.number("credit", 16'384));
    options.credit_bytes = c.number("bytes", 8 << 20);
    assignment_ = std::make_unique<assignment>(options);
    make_client(c, *assignment_);
  }

  void make_subscriber(const scenario_command& c) {
    const std::map<std::string, start_at> starts = {{"next", start_at::next},
                                                    {"first", start_at::first},
                                                    {"last", start_at::last},
                                                    {"sequence", start_at::sequence}};
    subscriber_stream_options options;
    options.durable = c.text("durable", "");
    options.start = starts.at(c.text("start", "next"));
    options.at = c.number("at", 0);
    if (const std::string topic = c.text("topic", ""); !topic.empty()) options.prefixes = {topic};
    options.credit_messages = static_cast<std::uint32_t>(c.number("credit", 16'384));
    subscriber_ = std::make_unique<subscriber_stream>(options);
    make_client(c, *subscriber_);
  }

  void make_client(const scenario_command& c, client_stream& first) {
    session_client_options options;
    options.producer_id = c.text("id", "");
    options.jitter_percent = 0;
    client_ = std::make_unique<session_client>(options, random_source(1));
    client_->add(first);
  }

  void wait(std::uint64_t ms) {
    const std::uint64_t until = now_.now_ns + ms * ms_ns;
    while (client_->next_deadline() <= until) {
      now_.now_ns = std::max(now_.now_ns, client_->next_deadline());
      out_ << "[" << now_.now_ns / ms_ns << " ms]\n";
      client_->on_tick(now_);
      drain();
    }
    now_.now_ns = until;
  }

  bool from_device(const scenario_command& c) {
    const auto number = [&] { return std::stoull(c.words.at(0)); };
    small_head head;
    if (c.verb == "welcome") {
      welcome f;
      session_ = f.session = static_cast<std::uint32_t>(c.number("session", session_ + 1));
      f.epoch = static_cast<std::uint32_t>(c.number("epoch", 1));
      f.heartbeat_ms = static_cast<std::uint32_t>(c.number("heartbeat", 1000));
      f.window_messages = static_cast<std::uint32_t>(c.number("window", 65'536));
      f.window_bytes = c.number("bytes", 1 << 20);
      f.max_message = c.number("max", 1 << 20);
      return give(encode(session_, f));
    }
    if (c.verb == "attached") {
      attached f;
      f.request = 1;
      f.stream = stream;
      f.next_number = c.number("next", 1);
      f.accepted_through = c.number("accepted", f.next_number - 1);
      f.next_sequence = c.number("sequence", 1);
      f.stream_epoch = static_cast<std::uint32_t>(c.number("epoch", 1));
      return give(encode(session_, f));
    }
    if (c.verb == "attach_refused")
      return give(encode(
          session_, attach_refused{1, static_cast<errc>(c.number("code", 7)), c.text("text", "")}));
    if (c.verb == "accept") return fixed(c, accept{stream, number(), level::disk});
    if (c.verb == "resync") return fixed(c, resync{stream, number()});
    if (c.verb == "resume") return fixed(c, resume{stream, number()});
    if (c.verb == "acked") return fixed(c, acked{stream, number()});
    if (c.verb == "reset" || c.verb == "pong") {
      encode_bare(head, c.verb == "reset" ? frame_type::reset : frame_type::pong, session_);
      return give(copy_to_buffer(head.bytes()));
    }
    if (c.verb == "version") {
      encode_refuse_version(head, static_cast<std::uint8_t>(number()),
                            static_cast<std::uint8_t>(std::stoul(c.words.at(1))));
      return give(copy_to_buffer(head.bytes()));
    }
    if (c.verb == "fenced")
      return give(encode(session_, refuse{no_stream, 0, 0, errc::fenced, true, 0, ""}));
    if (c.verb == "refuse") {
      const bool transient = c.has("transient");
      return give(encode(
          session_, refuse{stream, c.number("first", 1), 1,
                           static_cast<errc>(c.number("code", transient ? 1 : 5)), !transient,
                           static_cast<std::uint16_t>(c.number("entry", 0)), c.text("text", "")}));
    }
    if (c.verb == "deliver") return deliver_block(c);
    if (c.verb == "gap")
      return give(encode(session_, gap{stream,
                                       {number(), std::stoull(c.words.at(1))},
                                       static_cast<gap_cause>(c.number("cause", 1))}));
    return false;
  }

  bool deliver_block(const scenario_command& c) {
    block_packer packer;
    for (std::size_t i = 1; i < c.words.size(); ++i)
      if (c.words[i] != "run" && c.words[i] != "corrupt") add(packer, c.words[i]);
    const sealed_block block = packer.seal();
    deliver f;
    f.stream = stream;
    f.first_sequence = std::stoull(c.words.at(0));
    f.count = block.count;
    f.attempt = static_cast<std::uint16_t>(c.number("attempt", 1));
    f.redelivered = static_cast<std::uint8_t>(c.number("redelivered", 0));
    f.whole = !c.has("run");
    f.body_sum = f.whole ? block.body_sum : 0;
    std::vector<std::byte> body(block.body.bytes().begin(), block.body.bytes().end());
    if (c.has("corrupt")) body[entry_head_bytes] ^= std::byte{1};
    small_head head;
    encode(head, session_, f);
    return give(copy_to_buffer(head.bytes()), copy_to_buffer(body));
  }

  template <class F>
  bool fixed(const scenario_command& c, const F& f) {
    small_head head;
    encode(head, static_cast<std::uint32_t>(c.number("session", session_)), f);
    return give(copy_to_buffer(head.bytes()));
  }

  bool give(buffer_ref head, buffer_ref body = {}) {
    std::vector<buffer_ref> parts{std::move(head)};
    if (body) parts.push_back(std::move(body));
    client_->on_frame(parts, now_);
    return true;
  }

  bool producing(const scenario_command& c) {
    if (!outbox_) return false;
    if (c.verb == "send") {
      for (const std::string& m : c.words) print(submit(m, 0));
    } else if (c.verb == "at") {
      for (std::size_t i = 1; i < c.words.size(); ++i)
        print(submit(c.words[i], std::stoull(c.words[0]) + i - 1));
    } else if (c.verb == "state") {
      state();
      out_ << "accepted through " << outbox_->accepted_through() << ", outstanding "
           << outbox_->outstanding() << "\n";
      for (const rejection& r : outbox_->take_rejections())
        out_ << "refused: " << r.number << " " << name(r.code)
             << (r.text.empty() ? "" : " " + r.text) << "\n";
      if (!outbox_->failure()) out_ << outbox_->failure().text() << "\n";
    } else {
      return false;
    }
    return true;
  }

  result<std::uint64_t> submit(std::string message, std::uint64_t number) {
    if (message[0] == '*') message = std::string(std::stoull(message.substr(1)), 'x');
    std::vector<std::string> parts;
    std::istringstream in(message);
    for (std::string part; std::getline(in, part, '|');) parts.push_back(part);
    std::vector<bytes_view> views;
    for (const std::string& part : parts) views.push_back(view(part));
    return number ? outbox_->submit_at(number, views, 0) : outbox_->submit(views, 0);
  }

  void print(const result<std::uint64_t>& done) {
    if (done)
      out_ << "number " << *done << "\n";
    else
      out_ << name(done.kind()) << ": " << done.text() << "\n";
  }

  bool consuming(const scenario_command& c) {
    if (!assignment_) return false;
    if (c.verb == "take" || c.verb == "take_all") {
      take(*assignment_, c.verb == "take_all");
    } else if (c.verb == "ack") {
      for (const std::string& n : c.words) print(assignment_->acked(ticket(n)));
    } else if (c.verb == "take_run") {
      if (!assignment_->take_run(run_)) return out_ << "nothing\n", true;
      out_ << run_.sequence() << ":" << show(run_.rest) << "\n";
    } else if (c.verb == "ack_run") {
      print(assignment_->acked(run_.next,
                               static_cast<std::uint16_t>(run_.head.count - run_.next.index)));
    } else if (c.verb == "nack" || c.verb == "release" || c.verb == "reject") {
      const auto kind = c.verb == "nack"      ? nack_kind::nack
                        : c.verb == "release" ? nack_kind::release
                                              : nack_kind::reject;
      for (const std::string& n : c.words)
        print(assignment_->refused(ticket(n), kind, c.number("delay", 0), c.text("reason", "")));
    } else if (c.verb == "touch") {
      for (const std::string& n : c.words)
        print(assignment_->touched(ticket(n), c.number("extend", 0)));
    } else if (c.verb == "state") {
      state();
      out_ << "unsettled " << assignment_->unsettled() << ", acks "
           << (assignment_->acks_durable() ? "durable" : "on their way")
           << (assignment_->take_acks_lost() ? ", some were lost" : "")
           << (assignment_->corrupt() ? ", corrupt frames seen" : "") << "\n";
      if (!assignment_->failure()) out_ << assignment_->failure().text() << "\n";
    } else {
      return false;
    }
    return true;
  }

  bool subscribing(const scenario_command& c) {
    if (!subscriber_) return false;
    if (c.verb == "take" || c.verb == "take_all") {
      take(*subscriber_, c.verb == "take_all");
    } else if (c.verb == "take_run") {
      if (!subscriber_->take_run(run_)) return out_ << "nothing\n", true;
      out_ << run_.sequence() << ":" << show(run_.rest) << "\n";
    } else if (c.verb == "ack") {
      for (const std::string& n : c.words) print(subscriber_->acked_through(std::stoull(n)));
    } else if (c.verb == "state") {
      state();
      out_ << "position " << subscriber_->position() << ", acks "
           << (subscriber_->acks_durable() ? "durable" : "on their way") << "\n";
      for (const gap& lost : subscriber_->take_gaps())
        out_ << "gap " << lost.messages.first << "+" << lost.messages.count << " cause "
             << static_cast<int>(lost.cause) << "\n";
      if (!subscriber_->failure()) out_ << subscriber_->failure().text() << "\n";
    } else {
      return false;
    }
    return true;
  }

  template <class Stream>
  void take(Stream& from, bool all) {
    delivered_run run;
    entry message;
    do {
      if (!from.take(run, message)) {
        if (!all) out_ << "nothing\n";
        return;
      }
      taken_[run.sequence()] = run.next;
      out_ << run.sequence() << ": " << show(message);
      if (run.head.attempt > 1) out_ << " (attempt " << run.head.attempt << ")";
      if (run.head.redelivered) out_ << " (redelivered " << int{run.head.redelivered} << ")";
      out_ << "\n";
    } while (all);
  }

  delivery_ticket ticket(const std::string& sequence) { return taken_.at(std::stoull(sequence)); }

  void print(const status& done) {
    if (!done) out_ << name(done.kind()) << ": " << done.text() << "\n";
  }

  void state() {
    out_ << name(client_->state()) << "\n";
    if (!client_->failure()) out_ << client_->failure().text() << "\n";
    if (client_->bad_frames()) out_ << "bad frames: " << client_->bad_frames() << "\n";
    if (client_->stale_frames()) out_ << "stale frames: " << client_->stale_frames() << "\n";
  }

  void drain() {
    if (client_->take_close()) out_ << "close connection\n";
    if (client_->take_open()) out_ << "open connection\n";
    for (client_frame f; client_->next(f, now_);) print(f);
  }

  void print(const client_frame& f) {
    const bytes_view head = f.first_part();
    const auto prefix = decode_prefix(head);
    REQUIRE(prefix);
    out_ << "-> ";
    if (prefix->type == frame_type::hello) {
      const auto h = decode_hello(head);
      out_ << "HELLO id=" << (h->named ? h->producer_id : "(unnamed)") << " epoch=" << h->epoch;
    } else if (prefix->type == frame_type::attach) {
      const auto a = decode_attach(head);
      out_ << "ATTACH " << (a->role == attach_role::produce ? "produce" : "consume");
      if (!a->group.empty()) out_ << " as " << a->group;
      if (a->start != start_at::next) out_ << " start=" << static_cast<int>(a->start);
      if (a->at) out_ << " at=" << a->at;
      for (const std::string& wanted : a->filter) out_ << " prefix=" << wanted;
    } else if (prefix->type == frame_type::publish) {
      const auto p = decode_publish(head);
      CHECK(checksum(f.body.bytes()) == p->body_sum);
      CHECK(walk(f.body.bytes(), p->count, p->props_mask, 1 << 20).ok);
      out_ << "PUBLISH " << p->first_number << ":" << show(f.body.bytes());
    } else if (prefix->type == frame_type::credit) {
      const auto k = decode_credit(head);
      out_ << "CREDIT " << k->messages_total << " messages, " << k->bytes_total << " bytes"
           << (k->whole_blocks ? ", whole blocks" : "");
    } else if (prefix->type == frame_type::ack) {
      const auto a = decode_ack(head);
      out_ << "ACK #" << a->number << show(a->ranges);
    } else if (prefix->type == frame_type::nack) {
      const auto n = decode_nack(head);
      const char* kinds[] = {"", "NACK", "RELEASE", "REJECT"};
      out_ << kinds[static_cast<int>(n->kind)] << show(n->ranges);
      if (n->delay_ms) out_ << " delay=" << n->delay_ms;
      if (!n->reason.empty()) out_ << " reason=" << n->reason;
    } else if (prefix->type == frame_type::touch) {
      const auto t = decode_touch(head);
      out_ << "TOUCH" << show(t->ranges) << " extend=" << t->extend_ms;
    } else {
      const std::map<frame_type, const char*> bare = {{frame_type::ping, "PING"},
                                                      {frame_type::pong, "PONG"},
                                                      {frame_type::bye, "BYE"},
                                                      {frame_type::probe, "PROBE"}};
      out_ << bare.at(prefix->type);
    }
    out_ << (prefix->session ? " [" + std::to_string(prefix->session) + "]" : "") << "\n";
  }

  std::unique_ptr<outbox> outbox_;
  std::unique_ptr<assignment> assignment_;
  std::unique_ptr<subscriber_stream> subscriber_;
  std::unique_ptr<session_client> client_;
  std::map<std::uint64_t, delivery_ticket> taken_;
  delivered_run run_;
  instant now_;
  std::uint32_t session_ = 0;
  std::ostringstream out_;
};

}  // namespace

TEST_CASE("the endpoint's stories") {
  const std::size_t files = run_scenarios(HOLDFAST_SCENARIOS "/endpoint",
                                          [] { return std::make_unique<endpoint_world>(); });
  CHECK(files >= 10);
}
