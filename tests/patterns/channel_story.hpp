// channel_story: what the stories of all patterns share: peers by name, the commands that are the
// same everywhere, and words for what comes and leaves. The story of a pattern adds its options,
// its commands, and how its frames read.
//
// Commands here:
//   auto          everything is durable at once from here on
//   durable [N]   what was appended so far is, or its first N records; written: written, not synced
//   lost PEER    bye PEER    wait MS    room BYTES [replies=BYTES]    crash    restart
//   grows BYTES   the room, and a frame comes before the next tick
//   rots   the body of the last block, found out at the next start
//   checkpoint [slice=BYTES]    calendar SECONDS: it jumps, back if negative
#pragma once

#include <initializer_list>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "patterns/frame_codec.hpp"
#include "tests/patterns/channel_world.hpp"
#include "tests/patterns/scenario_file.hpp"

namespace holdfast {

inline std::string span_text(std::uint64_t first, std::uint64_t count) {
  return std::to_string(first) + (count > 1 ? ".." + std::to_string(first + count - 1) : "");
}

/// A or A..B.
inline range parse_range(const std::string& word) {
  const auto dots = word.find("..");
  const std::uint64_t first = std::stoull(word);
  const std::uint64_t last = dots == std::string::npos ? first : std::stoull(word.substr(dots + 2));
  return {first, last - first + 1};
}

/// The words that are ranges, but for the first, which is the peer.
inline std::vector<range> parse_ranges(const scenario_command& c) {
  std::vector<range> made;
  for (std::size_t i = 1; i < c.words.size(); ++i)
    if (std::isdigit(static_cast<unsigned char>(c.words[i][0])))
      made.push_back(parse_range(c.words[i]));
  return made;
}

/// The messages of a body, parts joined by |.
inline std::string body_text(bytes_view body, const std::string& for_void) {
  std::string made;
  entry_walker walker(body);
  for (entry e; walker.next(e);) {
    std::string message;
    for_each_part(
        e, [&](bytes_view part) { message += (message.empty() ? "" : "|") + text_of(part); });
    made += " " + (e.voided() ? for_void : message);
  }
  return made + (walker.ok() ? "" : " (broken)");
}

using named_figures = std::initializer_list<std::pair<const char*, std::uint64_t>>;

/// Those that are not 0, each behind `before`.
inline std::string figures_text(named_figures figures, const std::string& before = " ") {
  std::string made;
  for (const auto& [name, n] : figures)
    if (n) made += before + name + " " + std::to_string(n);
  return made;
}

inline hello hello_of(const scenario_command& c, std::uint64_t nonce = 1) {
  hello f;
  f.producer_id = c.text("id", c.words[0]);
  f.named = !c.has("unnamed");
  f.nonce[0] = static_cast<std::byte>(c.number("nonce", nonce));
  f.epoch = static_cast<std::uint32_t>(c.number("epoch", 0));
  f.heartbeat_ms = static_cast<std::uint32_t>(c.number("heartbeat", 3'000'000));
  return f;
}

/// The verb says which kind.
inline nack nack_of(const scenario_command& c, stream_id stream) {
  nack f;
  f.stream = stream;
  f.kind = c.verb == "nack"      ? nack_kind::nack
           : c.verb == "release" ? nack_kind::release
                                 : nack_kind::reject;
  f.delay_ms = c.number("delay", 0);
  f.reason = c.text("reason", "");
  f.ranges = parse_ranges(c);
  return f;
}

struct story_peer {
  peer_id id = 0;
  std::uint32_t session = 0;
  std::uint64_t acks = 0;
};

/// `Peer` is story_peer or derives from it.
template <class World, class Options, class Peer = story_peer>
class channel_story : public scenario_world {
 public:
  std::string run(const scenario_command& c) override {
    if (c.verb == "options") return options(c), "";
    if (!world_) world_ = std::make_unique<World>(options_, 7);
    if (!common(c) && !command(c)) out_ += "unknown command " + c.verb + "\n";
    return std::exchange(out_, {}) + show_sent();
  }

 protected:
  using sent = typename decltype(std::declval<World>().take_sent())::value_type;

  virtual void options(const scenario_command& c) = 0;
  /// False if there is no such command.
  virtual bool command(const scenario_command& c) = 0;
  virtual std::string show(const sent& f, Peer& to) = 0;

  /// Plays the verb if the table has it.
  template <class Story>
  static bool play(Story& story, const scenario_command& c,
                   const std::map<std::string, void (Story::*)(const scenario_command&)>& verbs) {
    const auto at = verbs.find(c.verb);
    if (at != verbs.end()) (story.*at->second)(c);
    return at != verbs.end();
  }
  Peer& of(const scenario_command& c) {
    Peer& p = peers_[c.words.at(0)];
    if (p.id == 0) p.id = ++last_peer_;
    return p;
  }
  std::uint32_t session_of(const scenario_command& c) {
    return static_cast<std::uint32_t>(c.number("session", of(c).session));
  }
  void greet(const scenario_command& c, const hello& f) {
    world_->receive(of(c).id, encode(0, f).bytes());
  }
  template <class F>
  void send_small(const scenario_command& c, const F& f, std::vector<buffer_ref> parts = {}) {
    small_head head;
    encode(head, session_of(c), f);
    world_->receive(of(c).id, head.bytes(), std::move(parts));
  }
  template <class F>
  void send_long(const scenario_command& c, const F& f) {
    world_->receive(of(c).id, encode(session_of(c), f).bytes());
  }
  void send_bare(const scenario_command& c, frame_type type) {
    small_head head;
    encode_bare(head, type, session_of(c));
    world_->receive(of(c).id, head.bytes());
  }

  Options options_;
  std::unique_ptr<World> world_;
  std::string out_;

 private:
  bool common(const scenario_command& c);
  std::string show_sent() {
    std::string made;
    for (const sent& f : world_->take_sent()) {
      std::string line = "? a frame";
      for (auto& [name, p] : peers_)
        if (p.id == f.to) line = name + " " + show(f, p);
      made += "-> " + line + "\n";
    }
    return made;
  }

  std::map<std::string, Peer> peers_;
  peer_id last_peer_ = 0;
};

template <class World, class Options, class Peer>
bool channel_story<World, Options, Peer>::common(const scenario_command& c) {
  if (c.verb == "auto")
    world_->auto_durable = true, world_->make_durable();
  else if (c.verb == "durable")
    world_->make_durable(c.words.empty() ? ~std::size_t{0} : std::stoull(c.words[0]));
  else if (c.verb == "written")
    world_->log().write(), world_->tick();
  else if (c.verb == "lost")
    world_->lost(of(c).id);
  else if (c.verb == "bye")
    send_bare(c, frame_type::bye);
  else if (c.verb == "wait")
    world_->wait(std::stoull(c.words.at(0)) * ms_ns);
  else if (c.verb == "calendar")
    world_->at.real_ns += static_cast<std::uint64_t>(std::stoll(c.words.at(0))) * second_ns;
  else if (c.verb == "room")
    world_->room_bytes = std::stoull(c.words.at(0)),
    world_->reply_room_bytes = c.number("replies", 0), world_->tick();
  else if (c.verb == "rots")
    world_->rotten_end = true;
  else if (c.verb == "grows")
    world_->room_bytes = std::stoull(c.words.at(0));
  else if (c.verb == "crash" || c.verb == "restart")
    world_->restart(c.verb == "crash");
  else if (c.verb == "checkpoint")
    world_->checkpoint(c.number("slice", 1 << 20));
  else
    return false;
  return true;
}

}  // namespace holdfast
