// Whatever a device may send to an endpoint of each kind: frames with and without a session, in any
// order, while the application sends, takes and settles. The first byte says which endpoint. A
// frame that is counted as bad tells the application nothing.
#include "patterns/frame_codec.hpp"
#include "patterns/pubsub/subscriber_stream.hpp"
#include "patterns/reqrep/conversation.hpp"
#include "patterns/reqrep/replier_stream.hpp"
#include "patterns/session/session_client.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

constexpr std::string_view hello_text = "hello";
const bytes_view hello_part = as_bytes_view(hello_text.data(), hello_text.size());

// ---- what the application does, and what it sees: a figure that no bad frame may change

std::uint64_t use(outbox& of, fuzz_input& in, instant at) {
  if (in.take<std::uint8_t>() % 2 != 0) (void)of.submit({&hello_part, 1}, at.real_ns);
  (void)of.take_rejections();
  return of.accepted_through();
}
std::uint64_t seen(const outbox& of) {
  if (of.next_number() != 0) must(of.accepted_through() < of.next_number());
  return of.accepted_through() + of.rejections();
}

std::uint64_t use(assignment& of, fuzz_input& in, instant) {
  delivered_run run;
  entry message;
  if (!of.take(run, message)) return 0;
  must(message.sum_holds() && !message.voided());
  const delivery_ticket ticket = run.next;
  switch (in.take<std::uint8_t>() % 4) {
    case 0: (void)of.refused(ticket, nack_kind::nack, 0, "no"); break;
    case 1: (void)of.touched(ticket, 5); break;
    default: (void)of.acked(ticket); break;
  }
  return of.unsettled();
}
std::uint64_t seen(const assignment& of) {
  return of.ready();
}

std::uint64_t use(subscriber_stream& of, fuzz_input& in, instant) {
  delivered_run run;
  entry message;
  const std::uint64_t before = of.position();
  if (of.take(run, message)) must(message.sum_holds() && of.position() > before);
  if (in.take<std::uint8_t>() % 2 != 0) (void)of.acked_through(before);
  (void)of.take_gaps();
  return of.position();
}
std::uint64_t seen(const subscriber_stream& of) {
  return of.ready() + of.gaps();
}

std::uint64_t use(replier_stream& of, fuzz_input& in, instant at) {
  request_taken request;
  if (!of.take(request)) return 0;
  const auto attempt = static_cast<std::uint16_t>(request.run.head.attempt);
  if (in.take<std::uint8_t>() % 4 != 0)
    (void)of.reply(request.run.next, attempt, request.head.id, 200, {&hello_part, 1}, at.real_ns);
  return of.stored();
}
std::uint64_t seen(const replier_stream& of) {
  return of.ready() + of.stored() + of.late();
}

// ---- the session, and the device behind it

template <class Stream>
struct played {
  played(Stream& of, fuzz_input& from) : stream(of), in(from), client({}, random_source(1)) {
    client.add(of);
    client.start(at);
    drain();
  }

  void step() {
    switch (in.take<std::uint8_t>() % 8) {
      case 0: return hear({copy_to_buffer(in.take_piece())});
      case 1: return greet();
      case 2: return attach_it();
      case 3:
      case 4: return typed();
      case 5: return deliver_it();
      case 6: return wait();
      default: (void)use(stream, in, at); return drain();
    }
  }

  void hear(const std::vector<buffer_ref>& parts) {
    const std::uint64_t before = seen(stream), bad = client.bad_frames();
    client.on_frame(parts, at);
    if (client.bad_frames() != bad) must(seen(stream) == before);
    drain();
  }
  void hear(const small_head& head, const buffer_ref& body) {
    std::vector<buffer_ref> parts{copy_to_buffer(head.bytes())};
    if (body) parts.push_back(body);
    hear(parts);
  }
  void greet() {
    welcome f;
    f.session = 1 + in.take<std::uint8_t>() % 3;
    f.epoch = 1;
    f.window_messages = in.take<std::uint8_t>();
    f.window_bytes = f.max_message = in.take<std::uint16_t>();
    session = f.session;
    hear({encode(f.session, f)});
  }
  void attach_it() {
    attached f;
    f.request = 1 + in.take<std::uint8_t>() % 4;
    f.stream = 1;
    f.stream_epoch = in.take<std::uint8_t>() % 2;
    f.next_number = in.take<std::uint8_t>();
    f.accepted_through = in.take<std::uint8_t>();
    f.next_sequence = in.take<std::uint8_t>();
    f.lowest_sequence = in.take<std::uint8_t>();
    hear({encode(session, f)});
  }
  void typed() {
    small_head prefix;
    encode_bare(prefix, static_cast<frame_type>(in.take<std::uint8_t>()), session);
    std::vector<std::byte> head(prefix.bytes().begin(), prefix.bytes().end());
    const bytes_view fields = in.take_piece();
    head.insert(head.end(), fields.begin(), fields.end());
    std::vector<buffer_ref> parts{copy_to_buffer(head)};
    if (in.take<std::uint8_t>() % 2 != 0) parts.push_back(copy_to_buffer(in.take_piece()));
    hear(parts);
  }
  // A block as a device would send it, but for its numbers; or a body that rotted.
  void deliver_it() {
    block_packer packer;
    for (int i = in.take<std::uint8_t>() % 4; i >= 0; --i) {
      const std::vector<bytes_view> parts = in.take_pieces(3);
      if (in.take<std::uint8_t>() % 4 == 0)
        packer.add_void(0);
      else
        packer.add(parts, 0);
    }
    const sealed_block made = packer.seal();
    deliver f;
    f.stream = 1;
    f.first_sequence = in.take<std::uint8_t>();
    f.count = static_cast<std::uint16_t>(made.count + (in.take<std::uint8_t>() % 8 == 0));
    f.whole = in.take<std::uint8_t>() % 2 != 0;
    f.body_sum = made.body_sum;
    small_head head;
    encode(head, session, f);
    hear(head, in.take<std::uint8_t>() % 4 == 0 ? rotten(made.body) : made.body);
  }
  buffer_ref rotten(const buffer_ref& body) {
    std::vector<std::byte> bytes(body.bytes().begin(), body.bytes().end());
    bytes[in.take<std::uint16_t>() % bytes.size()] ^= std::byte{1};
    return copy_to_buffer(bytes);
  }
  void wait() {
    at.now_ns += in.take<std::uint16_t>() * ms_ns;
    client.on_tick(at);
    must(client.final() || client.next_deadline() != 0);
    drain();
  }
  // What leaves is a frame, of this session or before one, and comes to an end.
  void drain() {
    (void)client.take_close();
    (void)client.take_open();
    client_frame out;
    for (int sent = 0; client.next(out, at); ++sent) {
      const auto prefix = decode_prefix(out.first_part());
      must(prefix && prefix->major == protocol_major && sent < 10'000);
      out = {};
    }
  }

  Stream& stream;
  fuzz_input& in;
  instant at{1000 * second_ns, 1'700'000'000ull * second_ns};
  session_client client;
  std::uint32_t session = 1;
};

template <class Stream, class Options>
void play(fuzz_input in, Options options) {
  Stream stream(std::move(options));
  played<Stream> game(stream, in);
  for (int i = 0; i < 300 && !in.empty(); ++i) game.step();
}

void play_outbox(fuzz_input in, bool named) {
  outbox_options options;
  options.named = named;
  play<outbox>(in, options);
}
void play_assignment(fuzz_input in, bool whole_blocks) {
  assignment_options options;
  options.whole_blocks = whole_blocks;
  play<assignment>(in, options);
}
void play_subscriber(fuzz_input in, bool durable) {
  subscriber_stream_options options;
  if (durable) options.durable = "me";
  play<subscriber_stream>(in, options);
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast;
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const auto how = in.take<std::uint8_t>();
  const bool other = how / 4 % 2 != 0;
  switch (how % 4) {
    case 0: play_outbox(in, other); break;
    case 1: play_assignment(in, other); break;
    case 2: play_subscriber(in, other); break;
    default: play<replier_stream>(in, replier_stream_options{}); break;
  }
  return 0;
}
