// Devices on threads of a program: two in one process, traffic over inproc, stop and restart.
#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>

#include "holdfast/device.hpp"
#include "holdfast/pipeline.hpp"
#include "tests/temporary_directory.hpp"

using namespace holdfast;
using testing::temporary_directory;

namespace {

constexpr milliseconds patience{20'000};

std::string configured(const std::string& data, const std::string& name) {
  return "devices: [{name: " + name + ", data: '" + data + "/" + name +
         "', channels: [{name: work, pattern: pipeline, durability: process, reliable: "
         "['@inproc://" +
         name + "']}]}]";
}

device started(const std::string& yaml) {
  auto made = device::start(yaml);
  REQUIRE_MESSAGE(made.ok(), std::string(made.text()));
  return std::move(made).value();
}

// Numbers its messages and knows which are accepted; the device may come and go.
void produce(const std::string& to, int count, std::atomic<bool>& ok) {
  producer_options options;
  options.endpoint = "inproc://" + to;
  options.window_messages = 64;
  auto out = producer::open(options);
  bool good = out.ok();
  for (int i = 1; good && i <= count; ++i) good = out->send(std::to_string(i), patience).ok();
  ok = good && out->close(patience).ok();
}

}  // namespace

TEST_CASE("two devices in one process; one stops while traffic flows, and goes on: nothing lost") {
  const temporary_directory dir;
  constexpr int count = 20'000;
  device a = started(configured(dir.path, "a"));
  device b = started(configured(dir.path, "b"));
  CHECK(a.ready());
  CHECK(a.name() == "a");
  REQUIRE(!a.endpoints().empty());
  CHECK(a.endpoints()[0].endpoint == "inproc://a");

  std::atomic<bool> sent_a{false}, sent_b{false};
  std::thread to_a([&] { produce("a", count, sent_a); });
  std::thread to_b([&] { produce("b", count, sent_b); });

  worker_options options;
  options.endpoint = "inproc://a";
  auto work = worker::open(options);
  REQUIRE(work.ok());
  std::set<std::string> seen;
  int stops = 0;
  std::size_t next_stop = count / 4;
  while (seen.size() < count) {
    auto got = work->receive_batch(patience);
    REQUIRE_MESSAGE(got.ok(), std::string(got.text()));
    for (const delivery& message : *got) seen.emplace(message.text());
    const status acked = work->ack(*got);
    CHECK((acked.ok() || acked.kind() == errc::stale || acked.kind() == errc::not_found));
    if (stops < 3 && seen.size() > next_stop) {
      ++stops;
      next_stop += count / 4;
      CHECK(a.stop().ok());
      CHECK_FALSE(a.ready());
      CHECK(a.status_json(milliseconds(100)).kind() == errc::closed);
      a = started(configured(dir.path, "a"));
    }
  }
  to_a.join();
  to_b.join();
  CHECK(stops == 3);
  CHECK(sent_a);
  CHECK(sent_b);
  const auto told = b.status_json(patience);
  REQUIRE(told.ok());
  CHECK(told->find("\"in\":" + std::to_string(count)) != std::string::npos);
  CHECK(b.wait(milliseconds(0)).kind() == errc::timeout);
  CHECK(b.stop().ok());
  CHECK(b.wait().ok());
}

TEST_CASE("what cannot start says why, all of it") {
  const temporary_directory dir;
  const auto wrong = device::start("devices: [{data: x, chanels: []}]");
  CHECK(wrong.kind() == errc::invalid);
  CHECK(std::string(wrong.text()).find("chanels") != std::string::npos);
  const device first = started(configured(dir.path, "a"));
  CHECK(device::start(configured(dir.path, "a")).kind() == errc::in_use);
  CHECK(device::start_file(dir.path + "/none.yaml").kind() == errc::io);
  device_setup other;
  other.name = "z";
  CHECK(device::start(configured(dir.path, "b"), other).kind() == errc::not_found);
}
