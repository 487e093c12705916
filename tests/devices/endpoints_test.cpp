// producer and worker against a device that does what the test says.
#include <doctest/doctest.h>

#include <poll.h>

#include <atomic>
#include <future>
#include <thread>

#include "holdfast/pipeline.hpp"
#include "tests/devices/scripted_device.hpp"

using namespace holdfast;

namespace {

using namespace std::chrono_literals;

struct world {
  context in = context::open().value();
  scripted_device device{in, "inproc://device"};

  producer make_producer(producer_options options = {}) {
    options.endpoint = "inproc://device";
    options.context = in.handle();
    auto made = producer::open(options);
    REQUIRE(made);
    return std::move(*made);
  }
  worker make_worker(worker_options options = {}) {
    options.endpoint = "inproc://device";
    options.context = in.handle();
    auto made = worker::open(options);
    REQUIRE(made);
    return std::move(*made);
  }
};

bool readable(int fd, int ms) {
  pollfd item{fd, POLLIN, 0};
  return poll(&item, 1, ms) == 1;
}

std::vector<std::string> texts(bytes_view body) {
  std::vector<std::string> made;
  entry_walker walker(body);
  for (entry e; walker.next(e);) made.emplace_back(as_text(e.data));
  return made;
}

publish expect_publish(scripted_device& device, std::vector<std::string>* into = nullptr) {
  const auto frame = device.expect(frame_type::publish);
  REQUIRE(frame.parts.size() == 1);
  const auto p = decode_publish(frame.head.bytes());
  REQUIRE(p);
  CHECK(walk(frame.parts[0].bytes(), p->count, p->props_mask, 1 << 30).ok);
  if (into)
    for (std::string& t : texts(frame.parts[0].bytes())) into->push_back(std::move(t));
  return *p;
}

}  // namespace

TEST_CASE("what is sent is accepted, and flush says so") {
  world w;
  producer p = w.make_producer();
  CHECK(*p.send("hello") == 1);
  w.device.open();
  std::vector<std::string> got;
  CHECK(expect_publish(w.device, &got).first_number == 1);
  CHECK(got == std::vector<std::string>{"hello"});
  CHECK(p.flush(0ms).kind() == errc::would_block);
  CHECK(p.flush(1ms).kind() == errc::timeout);
  CHECK(p.unaccepted() == 1);
  auto flushed = std::async(std::launch::async, [&] { return p.flush(10s); });
  w.device.accept_through(1);
  CHECK(flushed.get().ok());
  CHECK(p.accepted_through() == 1);
  CHECK(p.close(1s).ok());
  w.device.expect(frame_type::bye);
  CHECK(p.send("late").kind() == errc::closed);
}

TEST_CASE("a full window: would_block, timeout, and the descriptor tells of room") {
  world w;
  w.device.window_messages = 2;
  producer p = w.make_producer();
  w.device.open();
  CHECK(p.send("a"));
  CHECK(expect_publish(w.device).first_number == 1);
  CHECK(p.send("b"));
  CHECK(expect_publish(w.device).first_number == 2);
  CHECK(p.send("c", 0ms).kind() == errc::would_block);
  CHECK(p.send("c", 5ms).kind() == errc::timeout);
  const int fd = p.fd();
  CHECK_FALSE(readable(fd, 0));
  w.device.accept_through(1);
  CHECK(readable(fd, 10'000));
  CHECK(p.accepted_through() == 1);
  CHECK_FALSE(readable(fd, 0));
  CHECK(*p.send("c", 0ms) == 3);
  auto waiting = std::async(std::launch::async, [&] { return p.send("d", 10s); });
  expect_publish(w.device);
  w.device.accept_through(3);
  CHECK(*waiting.get() == 4);
}

TEST_CASE("a reset makes a fresh connection that goes on where the device is") {
  world w;
  producer p = w.make_producer();
  const hello first = w.device.open();
  CHECK(first.epoch == 0);
  CHECK(p.send("a"));
  const auto sent = w.device.expect(frame_type::publish);
  CHECK(p.send("b"));
  expect_publish(w.device);
  w.device.bare(frame_type::reset);
  attached resumed;
  resumed.next_number = 2;
  resumed.accepted_through = 1;
  const hello second = w.device.open(resumed);
  CHECK(second.nonce == first.nonce);
  CHECK(second.epoch == 1);
  std::vector<std::string> got;
  CHECK(expect_publish(w.device, &got).first_number == 2);
  CHECK(got == std::vector<std::string>{"b"});
  w.device.accept_through(2);
  CHECK(p.flush(10s).ok());
}

TEST_CASE("a silent device is left after three heartbeats, by a connection of its own") {
  world w;
  producer_options options;
  options.heartbeat = 20ms;
  producer p = w.make_producer(options);
  w.device.open();
  w.device.silent = true;  // PINGs come, then a new HELLO
  const hello again = w.device.open();
  CHECK(again.epoch == 1);
  CHECK(w.device.session() == 2);
}

TEST_CASE("refusals are reported with number and reason; the others are accepted") {
  world w;
  producer p = w.make_producer();
  CHECK(p.send("good"));
  CHECK(p.send("bad"));
  CHECK(p.send("good too"));
  w.device.open();
  CHECK(expect_publish(w.device).count == 3);
  w.device.send(encode(1, refuse{3, 1, 3, errc::schema, true, 1, "no such field"}));
  const auto again = w.device.expect(frame_type::publish);
  entry_walker walker(again.parts[0].bytes());
  entry e;
  REQUIRE(walker.next(e));
  CHECK_FALSE(e.voided());
  REQUIRE(walker.next(e));
  CHECK(e.voided());
  w.device.accept_through(3);
  const status flushed = p.flush(10s);
  CHECK(flushed.kind() == errc::schema);
  const auto refused = p.take_refusals();
  REQUIRE(refused.size() == 1);
  CHECK(refused[0].number == 2);
  CHECK(refused[0].reason == "no such field");
  CHECK(p.flush(0ms).ok());
}

TEST_CASE("fenced is final") {
  world w;
  producer_options options;
  options.id = "camera-3";
  producer p = w.make_producer(options);
  attached from;
  from.next_number = 11;
  from.accepted_through = 10;
  CHECK(p.send("x", 0ms).kind() == errc::would_block);  // the number is not known yet
  w.device.open(from);
  CHECK(*p.send("a", 10s) == 11);
  expect_publish(w.device);
  const int fd = p.fd();
  w.device.send(encode(1, refuse{0, 0, 0, errc::fenced, true, 0, ""}));
  CHECK(p.flush(10s).kind() == errc::fenced);
  CHECK(readable(fd, 10'000));
  CHECK(p.send("b").kind() == errc::fenced);
  CHECK_FALSE(w.device.hears(300));  // it never comes back
}

TEST_CASE("a repeated program names its numbers") {
  world w;
  producer_options options;
  options.id = "camera-3";
  producer p = w.make_producer(options);
  attached from;
  from.next_number = 3;
  from.accepted_through = 2;
  w.device.open(from);
  const part_view part = as_part("x");
  for (std::uint64_t n = 1; n <= 4; ++n) CHECK(*p.send_at(n, {&part, 1}, 10s) == n);
  CHECK(p.send_at(9, {&part, 1}, 0ms).kind() == errc::invalid);
  CHECK(expect_publish(w.device).first_number == 3);
}

TEST_CASE("many threads send into one producer; numbers are dense, each thread's order holds") {
  world w;
  producer p = w.make_producer();
  constexpr int threads = 4, each = 5000;
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([&p, t] {
      for (int i = 0; i < each; ++i) (void)p.send(std::to_string(t) + ":" + std::to_string(i), 30s);
    });
  w.device.open();
  std::vector<std::string> got;
  while (got.size() < threads * each) {
    const publish f = expect_publish(w.device, &got);
    CHECK(f.first_number + f.count == got.size() + 1);
    w.device.accept_through(got.size());
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(p.flush(10s).ok());
  std::vector<int> next(threads, 0);
  bool ordered = true;
  for (const std::string& m : got) ordered &= m.substr(2) == std::to_string(next[m[0] - '0']++);
  CHECK(ordered);
}

TEST_CASE("many threads send and flush one producer at once") {
  world w;
  producer p = w.make_producer();
  constexpr int threads = 4, each = 300;
  std::atomic<int> failed = 0;
  std::vector<std::thread> senders;
  for (int t = 0; t < threads; ++t)
    senders.emplace_back([&] {
      for (int i = 0; i < each; ++i)
        if (!p.send("m", 30s) || !p.flush(30s).ok()) ++failed;
    });
  w.device.open();
  for (std::uint64_t got = 0; got < threads * each;) {
    const publish f = expect_publish(w.device);
    got = f.first_number + f.count - 1;
    w.device.accept_through(got);
  }
  for (std::thread& sender : senders) sender.join();
  CHECK(failed == 0);
  CHECK(p.accepted_through() == threads * each);
}

TEST_CASE("after a flush news reach the descriptor by themselves, and a flush outlives a reset") {
  world w;
  producer p = w.make_producer();
  w.device.open();
  const int fd = p.fd();
  for (std::uint64_t number = 1; number <= 50; number += 3) {
    CHECK(p.send("a"));
    auto flushed = std::async(std::launch::async, [&] { return p.flush(10s); });
    expect_publish(w.device);
    w.device.accept_through(number);
    CHECK(flushed.get().ok());
    CHECK(p.accepted_through() == number);
    CHECK(p.send("b"));
    expect_publish(w.device);
    w.device.accept_through(number + 1);
    CHECK(readable(fd, 10'000));
    CHECK(p.accepted_through() == number + 1);
    CHECK(p.send("c"));
    flushed = std::async(std::launch::async, [&] { return p.flush(10s); });
    expect_publish(w.device);
    w.device.bare(frame_type::reset);
    attached resumed;
    resumed.next_number = number + 2;
    resumed.accepted_through = number + 1;
    w.device.open(resumed);
    CHECK(expect_publish(w.device).first_number == number + 2);
    w.device.accept_through(number + 2);
    CHECK(flushed.get().ok());
  }
}

TEST_CASE("a burst of frames behind one signal is taken in to its end") {
  world w;
  producer p = w.make_producer();
  w.device.open();
  CHECK(p.send("m"));
  expect_publish(w.device);
  const int fd = p.fd();
  for (int n = 0; n < 800; ++n) w.device.accept_through(0);  // a turn takes fewer
  w.device.accept_through(1);
  CHECK(readable(fd, 500));
  CHECK(p.accepted_through() == 1);
}

TEST_CASE("big and multipart messages arrive as they were sent") {
  world w;
  producer p = w.make_producer();
  const std::string big(3 << 20, 'x');
  CHECK(p.send({as_part("head"), as_part(""), as_part(big)}));
  w.device.open();
  const auto frame = w.device.expect(frame_type::publish);
  entry_walker walker(frame.parts[0].bytes());
  entry e;
  REQUIRE(walker.next(e));
  REQUIRE(e.parts() == 3);
  CHECK(as_text(e.part(0)) == "head");
  CHECK(e.part(1).empty());
  CHECK(as_text(e.part(2)) == big);
  CHECK(p.send(std::span<const part_view>{}).kind() == errc::invalid);
}

TEST_CASE("a worker gets its messages in order, acks them, and knows when acks are durable") {
  world w;
  worker k = w.make_worker();
  CHECK(k.receive(0ms).kind() == errc::would_block);
  CHECK(k.receive(1ms).kind() == errc::timeout);
  const int fd = k.fd();
  w.device.open();
  const auto c = decode_credit(w.device.expect(frame_type::credit).head.bytes());
  REQUIRE(c);
  CHECK(c->messages_total == 16'384);
  CHECK(c->whole_blocks);
  CHECK_FALSE(readable(fd, 0));
  w.device.deliver_block(1, {"a", "b", "(void)", "d"});
  CHECK(readable(fd, 10'000));
  std::vector<delivery> got;
  for (int i = 0; i < 3; ++i) got.push_back(*k.receive(10s));
  CHECK_FALSE(readable(fd, 0));
  CHECK(got[0].text() == "a");
  CHECK(got[2].text() == "d");
  CHECK(got[2].sequence() == 4);
  CHECK(got[2].attempt() == 1);
  CHECK_FALSE(got[2].redelivered());
  std::uint64_t acked_messages = 0, last = 0;
  const auto take_acks = [&](std::uint64_t until) {
    while (acked_messages < until) {
      const auto a = decode_ack(w.device.expect(frame_type::ack).head.bytes());
      REQUIRE(a);
      CHECK(a->number == ++last);
      for (const range& r : a->ranges) acked_messages += r.count;
    }
  };
  for (const delivery& d : got) CHECK(k.ack(d).ok());
  CHECK(k.ack(got[0]).kind() == errc::not_found);
  take_acks(4);
  auto flushed = std::async(std::launch::async, [&] { return k.flush(10s); });
  w.device.say(acked{3, last});
  CHECK(flushed.get().ok());
}

TEST_CASE("a batch is iterated without its void entries and acked at once") {
  world w;
  worker k = w.make_worker();
  w.device.open();
  w.device.expect(frame_type::credit);
  w.device.deliver_block(7, {"(void)", "a", "(void)", "b"});
  const auto got = k.receive_batch(10s);
  REQUIRE(got);
  std::vector<std::string> seen;
  std::vector<std::uint64_t> sequences;
  for (const delivery& d : *got) {
    seen.emplace_back(d.text());
    sequences.push_back(d.sequence());
  }
  CHECK(seen == std::vector<std::string>{"a", "b"});
  CHECK(sequences == std::vector<std::uint64_t>{8, 10});
  CHECK(k.ack(*got).ok());
  std::uint64_t count = 0;
  while (count < 4) {
    const auto a = decode_ack(w.device.expect(frame_type::ack).head.bytes());
    for (const range& r : a->ranges) count += r.count;
  }
  CHECK(count == 4);
}

TEST_CASE("nack, release, reject and touch say what they mean") {
  world w;
  worker_options options;
  options.batches = false;
  worker k = w.make_worker(options);
  w.device.open();
  const auto c = decode_credit(w.device.expect(frame_type::credit).head.bytes());
  CHECK(c->messages_total == 256);
  CHECK_FALSE(c->whole_blocks);
  w.device.deliver_block(1, {"a", "b", "c"});
  const delivery a = *k.receive(10s), b = *k.receive(10s), d = *k.receive(10s);
  CHECK(k.touch(a, 60s).ok());
  const auto t = decode_touch(w.device.expect(frame_type::touch).head.bytes());
  CHECK(t->extend_ms == 60'000);
  CHECK(k.nack(a, 500ms, "busy").ok());
  const auto n = decode_nack(w.device.expect(frame_type::nack).head.bytes());
  CHECK(n->kind == nack_kind::nack);
  CHECK(n->delay_ms == 500);
  CHECK(n->reason == "busy");
  CHECK(k.release(b).ok());
  CHECK(decode_nack(w.device.expect(frame_type::nack).head.bytes())->kind == nack_kind::release);
  CHECK(k.reject(d, "malformed").ok());
  CHECK(decode_nack(w.device.expect(frame_type::nack).head.bytes())->kind == nack_kind::reject);
  CHECK(k.reject(d, std::string(2000, 'x')).kind() == errc::invalid);
}

TEST_CASE("what was held when the session went is stale; its bytes live on") {
  world w;
  worker k = w.make_worker();
  w.device.open();
  w.device.expect(frame_type::credit);
  w.device.deliver_block(1, {"a", "b"});
  const delivery held = *k.receive(10s);
  w.device.bare(frame_type::reset);
  w.device.open();
  w.device.expect(frame_type::credit);
  CHECK(k.ack(held).kind() == errc::stale);
  CHECK(held.text() == "a");
  CHECK(k.receive(0ms).kind() == errc::would_block);  // b was not taken and comes again
  w.device.deliver_block(1, {"a", "b"});
  CHECK(k.receive(10s)->text() == "a");
}

TEST_CASE("a worker that leaves sends its last acks and says BYE") {
  world w;
  {
    worker k = w.make_worker();
    w.device.open();
    w.device.expect(frame_type::credit);
    w.device.deliver_block(1, {"a", "b"});
    CHECK(k.ack(*k.receive(10s)).ok());
  }
  const auto a = decode_ack(w.device.expect(frame_type::ack).head.bytes());
  CHECK(a->ranges == std::vector<range>{{1, 1}});
  w.device.expect(frame_type::bye);
}

TEST_CASE("over tcp, with the library's own context, and the device coming late") {
  std::string where;
  {
    const context early = context::open().value();  // its end frees the port for certain
    where = scripted_device(early, "tcp://127.0.0.1:*").address();
  }
  const context in = context::open().value();
  producer_options options;
  options.endpoint = where;
  auto p = producer::open(options);
  REQUIRE(p);
  CHECK(p->send("early"));
  scripted_device device(in, where);
  device.open();
  CHECK(expect_publish(device).first_number == 1);
  device.accept_through(1);
  CHECK(p->flush(10s).ok());
}

TEST_CASE("over tcp and ipc, a device that goes is noticed at once, and one that comes found") {
  for (const char* first : {"tcp://127.0.0.1:*", "ipc://@holdfast-endpoints-test"}) {
    auto in = std::make_unique<context>(context::open().value());
    auto device = std::make_unique<scripted_device>(*in, first);
    const std::string where = device->address();
    producer_options options;
    options.endpoint = where;
    options.heartbeat = std::chrono::hours(1);  // silence is no sign
    auto p = producer::open(options);
    REQUIRE(p);
    device->open();
    CHECK(p->send("one"));
    CHECK(expect_publish(*device).first_number == 1);
    device.reset();
    in = std::make_unique<context>(context::open().value());  // the port is free for certain
    device = std::make_unique<scripted_device>(*in, where);
    device->open();
    CHECK(expect_publish(*device).first_number == 1);
    device->accept_through(1);
    CHECK(p->flush(10s).ok());
  }
}

TEST_CASE("over tcp, a block that the kernel does not take at once leaves whole") {
  const context in = context::open().value();
  scripted_device device(in, "tcp://127.0.0.1:*");
  producer_options options;
  options.endpoint = device.address();
  options.window_bytes = 64 << 20;
  auto p = producer::open(options);
  REQUIRE(p);
  device.open();
  const std::string large(6 << 20, 'x');
  for (int i = 0; i < 2; ++i) CHECK(p->send(large));  // the device reads nothing meanwhile
  for (std::uint64_t number = 1; number <= 2; ++number) {
    const auto got = expect_publish(device);
    CHECK(got.first_number == number);
  }
  device.accept_through(2);
  CHECK(p->flush(10s).ok());
}

TEST_CASE("options that make no sense are refused in words") {
  producer_options options;
  options.endpoint = "tpc://nowhere";
  CHECK(producer::open(options).kind() == errc::invalid);
  options.endpoint = "tcp://127.0.0.1:5557";
  options.window_messages = 0;
  CHECK(producer::open(options).kind() == errc::invalid);
  options.window_messages = 1;
  options.id = std::string(256, 'x');
  CHECK(producer::open(options).kind() == errc::invalid);
}

TEST_CASE("a context closed under its endpoints ends them with a status") {
  auto in = std::make_unique<context>(context::open().value());
  auto device = std::make_unique<scripted_device>(*in, "inproc://device");
  producer_options options;
  options.endpoint = "inproc://device";
  options.context = in->handle();
  auto p = producer::open(options);
  REQUIRE(p);
  device->open();  // so the connection is there
  CHECK(p->send("never"));
  device.reset();
  in.reset();
  CHECK(p->flush(10s).kind() == errc::closed);
}
