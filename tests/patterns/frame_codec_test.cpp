// Frames: what one side encodes the other decodes; cut at any length or random, bytes give
// bad_frame, never a crash.
#include <doctest/doctest.h>

#include "patterns/frame_codec.hpp"

#include <functional>
#include <string>

#include "base/random.hpp"
#include "patterns/control_map.hpp"

using namespace holdfast;

namespace {

bytes16 nonce() {
  random_source random(1);
  return random.bytes16();
}

// Every frame as bytes, with its decoder: used to cut and to corrupt all of them alike.
struct sample {
  std::string name;
  std::vector<std::byte> bytes;
  std::function<bool(bytes_view)> decodes;
};

std::vector<std::byte> copy(bytes_view bytes) {
  return {bytes.begin(), bytes.end()};
}

template <class F, class D>
sample fixed(std::string name, const F& f, D decode) {
  small_head head;
  encode(head, 7, f);
  return {std::move(name), copy(head.bytes()), [decode](bytes_view b) { return decode(b).ok(); }};
}

template <class D>
sample long_head(std::string name, buffer_ref head, D decode) {
  return {std::move(name), copy(head.bytes()), [decode](bytes_view b) { return decode(b).ok(); }};
}

hello full_hello() {
  hello f;
  f.producer_id = "camera-3";
  f.named = true;
  f.nonce = nonce();
  f.epoch = 4;
  return f;
}

attach full_subscription() {
  attach f{5, attach_role::consume, "", level::disk};
  f.group = "viewer";
  f.start = start_at::time;
  f.at = 1'700'000'000'000'000'000;
  f.filter = {"temp.", std::string("a\0\xff", 3), ""};
  return f;
}

std::vector<sample> samples() {
  const std::vector<range> ranges = {{1, 10}, {20, 1}};
  return {
      fixed("publish", publish{3, 100, 5, 1, 0x1122334455667788}, decode_publish),
      fixed("accept", accept{3, 104, level::interval}, decode_accept),
      fixed("resync", resync{3, 7}, decode_resync),
      fixed("resume", resume{3, 7}, decode_resume),
      fixed("probe", probe{3}, decode_probe),
      fixed("credit", credit{3, 16384, 1 << 23, true}, decode_credit),
      fixed("deliver", deliver{3, 9, 2, 0, true, 2, 3, 1234, 5678}, decode_deliver),
      fixed("acked", acked{3, 12}, decode_acked),
      long_head("ack", encode(7, ack{3, 1, ranges}), decode_ack),
      long_head("hello", encode(0, full_hello()), decode_hello),
      long_head("welcome", encode(7, welcome{1, 7, 2, 500, 10, 20, 30}), decode_welcome),
      long_head("attach", encode(7, attach{5, attach_role::consume, "jobs", level::process}),
                decode_attach),
      long_head("attached", encode(7, attached{5, 3, 1, 10, 9, level::disk, 50, 1000, 11, 2}),
                decode_attached),
      long_head("attach_refused", encode(7, attach_refused{5, errc::in_use, "taken"}),
                decode_attach_refused),
      long_head("refuse", encode(7, refuse{3, 100, 5, errc::schema, true, 2, "why"}),
                decode_refuse),
      long_head("nack", encode(7, nack{3, nack_kind::reject, 10, "bad", ranges}), decode_nack),
      long_head("touch", encode(7, touch{3, 100, ranges}), decode_touch),
      fixed("reply", reply_frame{3, {8, 5}, 2, 77}, decode_reply_frame),
      fixed("replied", replied{3, {8, 5}, reply_outcome::late}, decode_replied),
      long_head("gap", encode(7, gap{3, {5, 9}, gap_cause::retention}), decode_gap),
      long_head("subscribe", encode(7, full_subscription()), decode_attach),
      long_head("publish_simple", encode(7, publish_simple{3, 8}), decode_publish_simple),
      long_head("deliver_simple", encode(7, deliver_simple{3, 8, 2, 1}), decode_deliver_simple),
      long_head("accept simple", encode_simple(7, accept{3, 8}), decode_accept_simple),
      long_head("resync simple", encode_simple(7, resync{3, 8}), decode_resync_simple),
      long_head("resume simple", encode_simple(7, resume{3, 8}), decode_resume_simple),
      long_head("acked simple", encode_simple(7, acked{3, 8}), decode_acked_simple),
      long_head("ack simple", encode_simple(7, ack{3, 1, ranges}), decode_ack_simple),
      long_head("credit simple", encode_simple(7, credit{3, 8, 9}), decode_credit_simple),
      long_head("probe simple", encode_simple(7, probe{3}), decode_probe_simple),
  };
}

}  // namespace

TEST_CASE("the prefix is frozen: HF, major, type, session") {
  small_head head;
  encode_bare(head, frame_type::ping, 0x01020304);
  const std::array<unsigned char, 8> frozen = {'H', 'F', 1, 6, 4, 3, 2, 1};
  REQUIRE(head.bytes().size() == frozen.size());
  CHECK(std::memcmp(head.bytes().data(), frozen.data(), frozen.size()) == 0);
  encode_refuse_version(head, 1, 3);
  CHECK(decode_prefix(head.bytes())->type == frame_type::refuse_version);
  CHECK(decode_refuse_version(head.bytes())->min == 1);
  CHECK(decode_refuse_version(head.bytes())->max == 3);
  CHECK_FALSE(decode_prefix(head.bytes().first(7)));
  CHECK_FALSE(decode_prefix(as_bytes_view("GF345678", 8)));
}

TEST_CASE("fixed frames carry every field") {
  small_head head;
  encode(head, 7, publish{3, 100, 5, 1, 0x1122334455667788});
  const auto p = decode_publish(head.bytes());
  REQUIRE(p);
  CHECK(p->stream == 3);
  CHECK(p->first_number == 100);
  CHECK(p->count == 5);
  CHECK(p->props_mask == 1);
  CHECK(p->body_sum == 0x1122334455667788);
  CHECK(decode_prefix(head.bytes())->session == 7);

  encode(head, 7, deliver{3, 9, 2, 4, true, 2, 3, 1234, 5678});
  const auto d = decode_deliver(head.bytes());
  REQUIRE(d);
  CHECK(d->stream == 3);
  CHECK(d->first_sequence == 9);
  CHECK(d->count == 2);
  CHECK(d->props_mask == 4);
  CHECK(d->whole);
  CHECK(d->redelivered == 2);
  CHECK(d->attempt == 3);
  CHECK(d->time_ns == 1234);
  CHECK(d->body_sum == 5678);

  encode(head, 7, credit{3, 16384, 1 << 23, true});
  const auto c = decode_credit(head.bytes());
  REQUIRE(c);
  CHECK(c->messages_total == 16384);
  CHECK(c->bytes_total == 1 << 23);
  CHECK(c->whole_blocks);

  encode(head, 7, accept{3, 104, level::interval});
  CHECK(decode_accept(head.bytes())->through == 104);
  CHECK(decode_accept(head.bytes())->reached == level::interval);
  encode(head, 7, resync{3, 55});
  CHECK(decode_resync(head.bytes())->expected == 55);
  encode(head, 7, resume{3, 56});
  CHECK(decode_resume(head.bytes())->expected == 56);
  encode(head, 7, acked{3, 57});
  CHECK(decode_acked(head.bytes())->through == 57);

  const ack sent{3, 2, {{1, 10}, {20, 1}}};
  const auto a = decode_ack(encode(7, sent).bytes());
  REQUIRE(a);
  CHECK(a->number == 2);
  CHECK(a->ranges == sent.ranges);
}

TEST_CASE("maps carry every field") {
  const auto h = decode_hello(encode(0, full_hello()).bytes());
  REQUIRE(h);
  CHECK(h->producer_id == "camera-3");
  CHECK(h->named);
  CHECK(h->nonce == nonce());
  CHECK(h->epoch == 4);
  CHECK(h->heartbeat_ms == 1000);
  CHECK_FALSE(h->simple);

  const auto w = decode_welcome(encode(7, welcome{1, 7, 2, 500, 10, 20, 30}).bytes());
  REQUIRE(w);
  CHECK(w->session == 7);
  CHECK(w->epoch == 2);
  CHECK(w->heartbeat_ms == 500);
  CHECK(w->window_messages == 10);
  CHECK(w->window_bytes == 20);
  CHECK(w->max_message == 30);

  const std::string odd_address{"a\0\xff", 3};
  const auto at = decode_attach(
      encode(7, attach{5, attach_role::consume, odd_address, level::process}).bytes());
  REQUIRE(at);
  CHECK(at->request == 5);
  CHECK(at->role == attach_role::consume);
  CHECK(at->address == odd_address);
  CHECK(at->need == level::process);

  const auto ed = decode_attached(
      encode(7, attached{5, 3, 1, 10, 9, level::interval, 50, 1000, 11, 2}).bytes());
  REQUIRE(ed);
  CHECK(ed->stream == 3);
  CHECK(ed->stream_epoch == 1);
  CHECK(ed->next_number == 10);
  CHECK(ed->accepted_through == 9);
  CHECK(ed->effective == level::interval);
  CHECK(ed->interval_ms == 50);
  CHECK(ed->lease_ms == 1000);
  CHECK(ed->next_sequence == 11);
  CHECK(ed->lowest_sequence == 2);

  const auto r = decode_refuse(encode(7, refuse{3, 100, 5, errc::schema, true, 2, "why"}).bytes());
  REQUIRE(r);
  CHECK(r->first_number == 100);
  CHECK(r->count == 5);
  CHECK(r->code == errc::schema);
  CHECK(r->permanent);
  CHECK(r->bad_entry == 2);
  CHECK(r->text == "why");

  const nack sent{3, nack_kind::reject, 10, "bad", {{1, 2}, {9, 1}}};
  const auto n = decode_nack(encode(7, sent).bytes());
  REQUIRE(n);
  CHECK(n->kind == nack_kind::reject);
  CHECK(n->delay_ms == 10);
  CHECK(n->reason == "bad");
  CHECK(n->ranges == sent.ranges);
  const auto t = decode_touch(encode(7, touch{3, 100, sent.ranges}).bytes());
  REQUIRE(t);
  CHECK(t->extend_ms == 100);
  CHECK(t->ranges == sent.ranges);
}

TEST_CASE("a subscription, a gap and the frames of replies carry every field") {
  const attach sent = full_subscription();
  const auto a = decode_attach(encode(7, sent).bytes());
  REQUIRE(a);
  CHECK(a->group == "viewer");
  CHECK(a->start == start_at::time);
  CHECK(a->at == sent.at);
  CHECK(a->filter == sent.filter);
  const auto plain = decode_attach(encode(7, attach{}).bytes());
  REQUIRE(plain);
  CHECK(plain->group.empty());
  CHECK(plain->start == start_at::next);
  CHECK(plain->filter.empty());

  const auto g = decode_gap(encode(7, gap{3, {5, 9}, gap_cause::power_loss}).bytes());
  REQUIRE(g);
  CHECK(g->stream == 3);
  CHECK(g->messages == range{5, 9});
  CHECK(g->cause == gap_cause::power_loss);

  small_head head;
  encode(head, 7, reply_frame{3, {8, 5}, 2, 77});
  const auto r = decode_reply_frame(head.bytes());
  REQUIRE(r);
  CHECK(r->stream == 3);
  CHECK(r->requests == range{8, 5});
  CHECK(r->attempt == 2);
  CHECK(r->body_sum == 77);
  encode(head, 7, replied{3, {8, 5}, reply_outcome::late});
  const auto d = decode_replied(head.bytes());
  REQUIRE(d);
  CHECK(d->requests == range{8, 5});
  CHECK(d->outcome == reply_outcome::late);

  const buffer_ref told = encode_described(0, "{\"level\":3}");
  CHECK(decode_prefix(told.bytes())->type == frame_type::described);
  CHECK(*decode_described(told.bytes()) == "{\"level\":3}");
  CHECK_FALSE(decode_described(told.bytes().first(frame_prefix_bytes)));
}

TEST_CASE("a filter is a list of at most 256 texts of 255 bytes") {
  attach f;
  f.filter.assign(prefixes_max, std::string(255, 'x'));
  CHECK(decode_attach(encode(7, f).bytes())->filter.size() == prefixes_max);
  f.filter.push_back("one more");
  CHECK(decode_attach(encode(7, f).bytes()).text() == "attach: filter");
  f.filter.assign(1, std::string(256, 'x'));
  CHECK(decode_attach(encode(7, f).bytes()).text() == "attach: filter");
  // {"filter": ["a", 1]} and {"filter": [["a"]]}, by hand
  const unsigned char mixed[] = {'H', 'F', 1,   8,   7,   0,   0,    0,    0x81, 0xa6,
                                 'f', 'i', 'l', 't', 'e', 'r', 0x92, 0xa1, 'a',  1};
  CHECK(decode_attach(as_bytes_view(mixed, sizeof mixed)).text() == "attach: filter");
  const unsigned char nested[] = {'H', 'F', 1,   8,   7,   0,   0,    0,    0x81, 0xa6,
                                  'f', 'i', 'l', 't', 'e', 'r', 0x91, 0x91, 0xa1, 'a'};
  CHECK(decode_attach(as_bytes_view(nested, sizeof nested)).text() == "attach: filter");
}

TEST_CASE("a gap within the numbers holds, one beyond them is bad_frame") {
  CHECK(decode_gap(encode(7, gap{3, {5, ~0ull - 5}, gap_cause::corrupt}).bytes()));
  CHECK_FALSE(decode_gap(encode(7, gap{3, {5, ~0ull - 4}, gap_cause::corrupt}).bytes()));
  CHECK_FALSE(decode_gap(encode(7, gap{3, {0, 1}, gap_cause::corrupt}).bytes()));
}

TEST_CASE("a frame cut at any length is bad_frame") {
  for (const sample& s : samples()) {
    CHECK_MESSAGE(s.decodes(s.bytes), s.name);
    for (std::size_t size = 0; size < s.bytes.size(); ++size) {
      const std::vector<std::byte> cut(s.bytes.begin(), s.bytes.begin() + static_cast<long>(size));
      CHECK_MESSAGE(!s.decodes(cut), s.name, " cut to ", size);
    }
  }
}

TEST_CASE("corrupted and random frames never crash a decoder") {
  random_source random(5);
  const std::vector<sample> all = samples();
  for (int round = 0; round < 300; ++round) {
    for (const sample& s : all) {
      std::vector<std::byte> bytes = s.bytes;
      for (std::uint64_t n = 1 + random.below(4); n > 0; --n)
        bytes[random.below(bytes.size())] = static_cast<std::byte>(random.next());
      s.decodes(bytes);
      std::vector<std::byte> noise(random.below(120));
      for (std::byte& b : noise) b = static_cast<std::byte>(random.next());
      if (noise.size() > 8) noise[8] = static_cast<std::byte>(0x80 + random.below(16));
      s.decodes(noise);
    }
  }
}

TEST_CASE("values out of their range are bad_frame and name the field") {
  hello f = full_hello();
  f.producer_id.assign(256, 'x');
  CHECK(decode_hello(encode(0, f).bytes()).text() == "hello: id");
  f = full_hello();
  f.heartbeat_ms = 0;
  CHECK(decode_hello(encode(0, f).bytes()).text() == "hello: heartbeat");
  f.simple = true;
  CHECK(decode_hello(encode(0, f).bytes()));
  small_head head;
  encode(head, 7, publish{3, 0, 5, 1, 0});
  CHECK_FALSE(decode_publish(head.bytes()));
  encode(head, 7, publish{3, 1, 4097, 1, 0});
  CHECK_FALSE(decode_publish(head.bytes()));
  encode(head, 7, publish{3, ~0ull - 1, 5, 1, 0});
  CHECK_FALSE(decode_publish(head.bytes()));
  CHECK_FALSE(decode_ack(encode(7, ack{3, 1, {{0, 1}}}).bytes()));
  CHECK_FALSE(decode_ack(encode(7, ack{3, 1, {{5, 0}}}).bytes()));
  CHECK_FALSE(decode_nack(encode(7, nack{3, nack_kind::nack, 0, "", {{~0ull, 9}}}).bytes()));
}

TEST_CASE("unknown fields of any kind are skipped") {
  const std::vector<range> numbers = {{1, 2}};
  const buffer_ref head = control_writer(frame_type::probe, 7)
                              .text("later", "x")
                              .ranges("many", numbers)
                              .flag("maybe", true)
                              .number("s", 3)
                              .finish();
  const auto p = decode_probe_simple(head.bytes());
  REQUIRE(p);
  CHECK(p->stream == 3);
  // {"x": [{"y": [nil, -1, 1.5]}, "z"], "s": 9}, by hand
  const unsigned char nested[] = {'H',  'F',  1,    21,  7,    0,    0,    0,    0x82, 0xa1, 'x',
                                  0x92, 0x81, 0xa1, 'y', 0x93, 0xc0, 0xff, 0xcb, 0x3f, 0xf8, 0,
                                  0,    0,    0,    0,   0,    0xa1, 'z',  0xa1, 's',  9};
  const auto q = decode_probe_simple(as_bytes_view(nested, sizeof nested));
  REQUIRE(q);
  CHECK(q->stream == 9);
}

TEST_CASE("a refusal that does not say why is none") {
  CHECK_FALSE(
      decode_refuse(control_writer(frame_type::refuse, 7).number("stream", 3).finish().bytes()));
  CHECK_FALSE(decode_attach_refused(
      control_writer(frame_type::attach_refused, 7).number("request", 3).finish().bytes()));
}

TEST_CASE("absurd sizes and depths are refused without work") {
  std::vector<unsigned char> deep = {'H', 'F', 1, 21, 7, 0, 0, 0, 0x81, 0xa1, 'x'};
  deep.resize(100'000, 0x91);
  CHECK_FALSE(decode_probe_simple(as_bytes_view(deep.data(), deep.size())));
  const unsigned char wide[] = {'H',  'F', 1,    21,   7,    0,    0,    0, 0x81,
                                0xa1, 'r', 0xdd, 0xff, 0xff, 0xff, 0xff, 1};
  CHECK_FALSE(decode_ack_simple(as_bytes_view(wide, sizeof wide)));
  const unsigned char text[] = {'H',  'F', 1,    21,   7,    0,    0,    0, 0x81,
                                0xa1, 's', 0xdb, 0xff, 0xff, 0xff, 0xff, 1};
  CHECK_FALSE(decode_probe_simple(as_bytes_view(text, sizeof text)));
}
