// foreign_peers: three peers that send whatever a fuzzer says to a whole channel, through every
// door it has. With every frame that the channel counts as bad nothing else may change in it.
//
// Contract: `World` is one of tests/patterns' worlds, whose accounts abort when they do not add up.
#pragma once

#include <array>

#include "base/checksum.hpp"
#include "patterns/frame_codec.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/patterns/channel_world.hpp"

namespace holdfast::testing {

/// Words that protocols are made of, so that a fuzzer need not guess them byte by byte.
inline constexpr std::array<std::string_view, 16> protocol_words = {
    "",     "MDPC01",      "MDPW01", "\1", "\2",      "\3",    "\4",     "\5",
    "echo", "mmi.service", "READY",  "a",  "b.reply", "x.dlq", "HF\1\1", "default"};

template <class World>
class foreign_peers {
 public:
  foreign_peers(World& world, fuzz_input& in) : world_(world), in_(in) {}

  /// One thing that happens. What peers may do, and what the device does on its own.
  void step() {
    const auto what = in_.take<std::uint8_t>() % 16;
    const peer_id from = 1 + in_.take<std::uint8_t>() % peers_;
    switch (what) {
      case 0: return hfp(from, copy_to_buffer(in_.take_piece()));
      case 1:
      case 2: return typed(from);
      case 3: return greet(from);
      case 4: return attach_to(from);
      case 5: return send_block(from);
      case 6: return settle(from);
      case 7: return grant(from);
      case 8: return raw(from, door::plain);
      case 9: return raw(from, door::ready);
      case 10: return raw(from, door::mdp);
      case 11: return world_.make_durable(1 + in_.take<std::uint8_t>() % 8);
      case 12: return world_.wait(in_.take<std::uint16_t>() * ms_ns);
      case 13: return join(from);
      case 14: return leave(from);
      default: return again();
    }
  }

 private:
  static constexpr peer_id peers_ = 3;

  // ---- frames of HFP/1

  void hfp(peer_id from, const buffer_ref& head, std::vector<buffer_ref> parts = {}) {
    const std::vector<std::uint64_t> before = figures();
    const std::uint64_t bad = world_.stats().bad_frames;
    world_.receive(from, head.bytes(), std::move(parts));
    if (world_.stats().bad_frames != bad) must(figures() == before);
    listen();
  }
  void hfp(peer_id from, const small_head& head, std::vector<buffer_ref> parts = {}) {
    hfp(from, copy_to_buffer(head.bytes()), std::move(parts));
  }
  // A right prefix and anything behind it.
  void typed(peer_id from) {
    small_head prefix;
    encode_bare(prefix, static_cast<frame_type>(in_.take<std::uint8_t>()), session(from));
    std::vector<std::byte> head(prefix.bytes().begin(), prefix.bytes().end());
    const bytes_view fields = in_.take_piece();
    head.insert(head.end(), fields.begin(), fields.end());
    std::vector<buffer_ref> parts;
    for (int i = in_.take<std::uint8_t>() % 3; i > 0; --i)
      parts.push_back(copy_to_buffer(in_.take_piece()));
    hfp(from, copy_to_buffer(head), std::move(parts));
  }
  void greet(peer_id from) {
    const auto how = in_.take<std::uint8_t>();
    hello f;
    f.producer_id = std::string(protocol_words[11 + how % 4]);
    f.named = (how & 8) != 0;
    f.simple = (how & 16) != 0;
    f.nonce[0] = std::byte{static_cast<std::uint8_t>(how & 32)};
    f.epoch = (how & 64) != 0 ? 1 : 0;
    hfp(from, encode(0, f));
  }
  void attach_to(peer_id from) {
    const auto how = in_.take<std::uint8_t>();
    attach f;
    f.request = 1;
    f.role = static_cast<attach_role>(1 + how % 3);
    f.address = std::string(protocol_words[(how >> 2) % protocol_words.size()]);
    f.group = (how & 64) != 0 ? "durable" : "";
    f.start = static_cast<start_at>(1 + in_.take<std::uint8_t>() % 6);
    f.at = in_.take<std::uint8_t>();
    hfp(from, encode(session(from), f));
  }
  void send_block(peer_id from) {
    block_packer packer;
    for (int i = in_.take<std::uint8_t>() % 4; i >= 0; --i) packer.add(in_.take_pieces(3), 0);
    const sealed_block made = packer.seal();
    publish f;
    f.stream = stream();
    f.first_number = 1 + in_.take<std::uint8_t>() % 16;
    f.count = made.count;
    f.body_sum = made.body_sum;
    small_head head;
    encode(head, session(from), f);
    hfp(from, head, {made.body});
  }
  void settle(peer_id from) {
    const auto how = in_.take<std::uint8_t>();
    std::vector<range> ranges(1 + how % 3);
    for (range& r : ranges) r = {in_.take<std::uint8_t>(), in_.take<std::uint8_t>()};
    const std::uint32_t of = session(from);
    switch (how / 4 % 4) {
      case 0: return hfp(from, encode(of, ack{stream(), how / 16u, ranges}));
      case 1: return hfp(from, encode(of, nack{stream(), nack_kind{1}, how / 16u, "no", ranges}));
      case 2: return hfp(from, encode(of, nack{stream(), nack_kind{3}, 0, "never", ranges}));
      default: return hfp(from, encode(of, touch{stream(), how / 16u, ranges}));
    }
  }
  void grant(peer_id from) {
    credit f;
    f.stream = stream();
    f.messages_total = in_.take<std::uint16_t>();
    f.bytes_total = in_.take<std::uint16_t>() * 16u;
    f.whole_blocks = f.messages_total % 2 != 0;
    small_head head;
    encode(head, session(from), f);
    hfp(from, head);
  }

  // ---- frames of everybody else

  void raw(peer_id from, door through) {
    std::vector<buffer_ref> parts;
    for (int i = in_.take<std::uint8_t>() % 8; i >= 0; --i) parts.push_back(word());
    frame_in frame;
    frame.from = from + (through == door::plain ? 10 : 20);
    frame.from_door = through;
    frame.head = parts[0];
    frame.parts = std::span(parts).subspan(1);
    frame.stream = stream();
    world_.channel().on_frames({&frame, 1}, world_.now());
    world_.turn();
    listen();
  }
  // One of the protocols' words, a part the channel sent, or any bytes.
  buffer_ref word() {
    const std::size_t which = in_.take<std::uint8_t>();
    if (which < protocol_words.size())
      return copy_to_buffer(
          as_bytes_view(protocol_words[which].data(), protocol_words[which].size()));
    if (which < 64 && !heard_.empty()) {
      const std::string& part = heard_[which % heard_.size()];
      return copy_to_buffer(as_bytes_view(part.data(), part.size()));
    }
    return copy_to_buffer(in_.take_piece());
  }
  void join(peer_id from) {
    if (joined_[from]) return;
    joined_[from] = true;
    plain_peer p;
    p.peer = from + 10;
    p.name = "plain";
    p.tracking = plain_tracking::separate;
    p.stream = 1;
    world_.joined(p);
  }
  void leave(peer_id from) {
    world_.lost(from + (joined_[from] ? 10 : 0));
    joined_[from] = false;
  }

  // ---- the device

  void again() {
    world_.checkpoint(256);
    world_.restart(in_.take<std::uint8_t>() % 2 != 0);
    sessions_ = {};
    joined_ = {};
    listen();
  }
  // The numbers of sessions, and the parts foreign peers were sent.
  void listen() {
    for (auto& sent : world_.take_sent()) {
      if (const auto f = decode_welcome(sent.head); f && sent.to <= peers_)
        if (const auto p = decode_prefix(sent.head); p && p->type == frame_type::welcome)
          sessions_[sent.to] = f->session;
      if constexpr (requires { sent.parts; })
        if (!sent.parts.empty()) heard_ = std::move(sent.parts);
    }
    const channel_stats now = world_.stats();
    must(now.sessions <= peers_ && now.streams.size() <= 2 * 8);
  }
  std::uint32_t session(peer_id of) const { return sessions_[of]; }
  stream_id stream() { return 1 + in_.take<std::uint8_t>() % 4; }
  std::vector<std::uint64_t> figures() const {
    const channel_stats s = world_.stats();
    std::vector<std::uint64_t> all{s.sessions, s.producers, world_.log().next_position()};
    for (const stream_stats& of : s.streams)
      all.insert(all.end(), {of.next_sequence, of.ack_floor, of.counts.in, of.counts.acked,
                             of.counts.ready, of.counts.in_flight, of.counts.delayed,
                             of.counts.in_doubt, of.counts.dead, of.groups.size()});
    return all;
  }

  World& world_;
  fuzz_input& in_;
  std::array<std::uint32_t, peers_ + 1> sessions_{};
  std::array<bool, peers_ + 1> joined_{};
  std::vector<std::string> heard_;
};

/// Plays one input on a channel with these options.
template <class World, class Options>
void play(fuzz_input in, Options options) {
  options.window_messages = 64;
  options.max_message = 4096;
  options.addresses_max = 8;
  options.sessions_max = 3;
  World world(options, 1);
  foreign_peers<World> peers(world, in);
  for (int i = 0; i < 200 && !in.empty(); ++i) peers.step();
  world.make_durable();
}

}  // namespace holdfast::testing
