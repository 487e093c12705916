// The configuration file: every key, every mistake at its place, all mistakes at once.
#include "devices/config/config.hpp"

#include <doctest/doctest.h>

#include "base/clock.hpp"

using namespace holdfast;

namespace {

const std::string good = R"(devices:
  - name: lab
    data: ./data/lab
    disk_limit: 20GiB
    segment_size: 16MiB
    zero_copy: off
    channels:
      - name: frames
        pattern: pipeline
        durability: interval:20ms
        lease: 5s
        heartbeat: 1500us
        peers: shared
        in:       ["@tcp://127.0.0.1:5555", {endpoint: ">tcp://far:1", queue: far}]
        out:      [{endpoint: "@tcp://127.0.0.1:5556", peers: separate, in_doubt: 64}, "@ipc:///tmp/x"]
        reliable: ["@tcp://127.0.0.1:5557"]
)";

// The good file with one line replaced by another text.
std::string with(const std::string& line_begin, const std::string& replacement) {
  std::string text = good;
  const std::size_t at = text.find(line_begin);
  REQUIRE(at != std::string::npos);
  return text.replace(at, text.find('\n', at) - at, replacement);
}

std::string only_error(const std::string& yaml) {
  const configuration read = parse_config(yaml);
  REQUIRE_MESSAGE(read.errors.size() == 1,
                  (read.errors.size() > 1 ? read.errors[1].text : "no error"));
  return to_text("f", read.errors[0]);
}

}  // namespace

TEST_CASE("a good file gives its devices") {
  const configuration read = parse_config(good);
  for (const auto& error : read.errors) FAIL_CHECK(to_text("f", error));
  REQUIRE(read.devices.size() == 1);
  const device_options& device = read.devices[0];
  CHECK(device.name == "lab");
  CHECK(device.data == "./data/lab");
  CHECK(device.disk_limit_bytes == 20ull << 30);
  CHECK(device.segment_bytes == 16ull << 20);
  CHECK_FALSE(device.zero_copy);
  REQUIRE(device.channels.size() == 1);
  const channel_options& channel = device.channels[0];
  CHECK(channel.settings().name == "frames");
  CHECK(channel.settings().durability == level::interval);
  CHECK(channel.settings().interval_ms == 20);
  CHECK(std::get<pipeline_options>(channel.pattern).lease_ns == 5 * second_ns);
  CHECK(channel.settings().heartbeat_ms == 2);
  REQUIRE(channel.in.size() == 2);
  CHECK(channel.in[1].endpoint == ">tcp://far:1");
  CHECK(channel.in[1].address == "far");
  REQUIRE(channel.out.size() == 2);
  CHECK(channel.out[0].peers == plain_tracking::separate);
  CHECK(channel.out[0].in_doubt_messages == 64);
  CHECK(channel.out[1].peers == plain_tracking::shared);
  CHECK(channel.out[1].in_doubt_messages == 4096);
  CHECK(channel.reliable == std::vector<std::string>{"@tcp://127.0.0.1:5557"});
  CHECK(check_devices(read.devices).ok());
}

TEST_CASE("a default below its endpoints counts as well") {
  const configuration read = parse_config(with("        reliable:", "        in_doubt: 7"));
  REQUIRE(read.errors.empty());
  CHECK(read.devices[0].channels[0].out[0].in_doubt_messages == 64);
  CHECK(read.devices[0].channels[0].out[1].in_doubt_messages == 7);
}

TEST_CASE("an unknown key is named with its place and the nearest one") {
  CHECK(only_error(with("    disk_limit", "    disk_limmit: 20GiB")) ==
        "f:4:5: a device has no key 'disk_limmit'; did you mean 'disk_limit'?");
  CHECK(only_error(with("        durability", "        durabilty: disk")) ==
        "f:10:9: a channel has no key 'durabilty'; did you mean 'durability'?");
  CHECK(only_error("devicse: []\ndevices:\n- {data: d, channels: [{pattern: pipeline, in: "
                   "'@tcp://h:1'}]}\n") ==
        "f:1:1: the configuration has no key 'devicse'; did you mean 'devices'?");
}

TEST_CASE("a bad value says what to write") {
  CHECK(only_error(with("    disk_limit", "    disk_limit: 20Gb")) ==
        "f:4:17: disk_limit: '20Gb' is not a size: write a whole number and B, KiB, MiB, GiB or "
        "TiB, as 20GiB");
  CHECK(only_error(with("        lease", "        lease: 5")) ==
        "f:11:16: lease: '5' is not a duration: write a whole number and ns, us, ms, s, m, h or "
        "d, as 50ms");
  CHECK(only_error(with("        durability", "        durability: dsik")) ==
        "f:10:21: durability: 'dsik' is not a durability; did you mean 'disk'?");
  CHECK(only_error(with("        peers", "        peers: seperate")) ==
        "f:13:16: peers: 'seperate' is none of its values; did you mean 'separate'?");
  CHECK(only_error(with("    segment_size", "    segment_size: 8KiB")) ==
        "f:5:19: segment_size: 8KiB is out of bounds (16384 to 1073741824)");
  CHECK(only_error(with("        pattern", "        pattern: pipline")) ==
        "f:9:18: pattern: there is no pattern 'pipline'; did you mean 'pipeline'?");
  CHECK(only_error(with("  - name", "  - name: a/b")) ==
        "f:2:11: name: 'a/b' is not a name: write up to 64 letters, digits, '_', '-' or '.'");
}

TEST_CASE("what cannot be together is refused at its place") {
  CHECK(only_error(with("        reliable", "        reliable: [\"@tcp://127.0.0.1:5555\"]")) ==
        "f:16:20: bound endpoint 'tcp://127.0.0.1:5555' is used twice; each needs its own");
  CHECK(only_error(with("        in:", "        ack_back: \"@tcp://127.0.0.1:9\""))
            .find("no output has peers: ack_back") != std::string::npos);
  CHECK(only_error(with("        in:", "        in: [{endpoint: '@tcp://*:1', queue: a.dlq}]"))
            .find("kept for dead letters") != std::string::npos);
  CHECK(
      only_error(with("        out:", "        out: [{endpoint: '@inproc://x', peers: separate}]"))
          .find("cannot be told apart") != std::string::npos);
  CHECK(only_error(with("    zero_copy", "    name: twice")) == "f:6:5: key 'name' stands twice");
}

TEST_CASE("all mistakes come at once, in order") {
  const configuration read = parse_config(R"(devices:
  - nmae: lab
    disk_limit: lots
    channels:
      - patern: pipeline
        in: ["@tpc://127.0.0.1:5555"]
)");
  std::vector<std::pair<int, int>> places;
  for (const auto& error : read.errors) places.emplace_back(error.line, error.column);
  CHECK(places ==
        std::vector<std::pair<int, int>>{{2, 5}, {2, 5}, {3, 17}, {5, 9}, {5, 9}, {6, 14}});
}

TEST_CASE("what is no YAML is told with its place") {
  const configuration read = parse_config("devices: [\n  a: b: c\n");
  REQUIRE(read.errors.size() == 1);
  CHECK(read.errors[0].text.starts_with("not YAML: "));
  CHECK(parse_config("").errors.size() == 1);
  CHECK(parse_config("- 1\n").errors.size() == 1);
  CHECK(parse_config("devices:\n").errors.size() == 1);
  CHECK(parse_config("devices: []\n").errors.size() == 1);
  CHECK_FALSE(load_config("/nonexistent/holdfast.yaml").ok());
}

TEST_CASE("aliases and deep nesting neither blow up nor crash") {
  CHECK_FALSE(
      parse_config("a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\ndevices: *c\n").errors.empty());
  CHECK_FALSE(parse_config("devices: " + std::string(100'000, '[')).errors.empty());
  CHECK_FALSE(parse_config("devices: &x [*x]\n").errors.empty());
}

namespace {

std::string channel_of(const std::string& keys) {
  return "devices:\n- data: d\n  channels:\n  - {" + keys + "}\n";
}

}  // namespace

TEST_CASE("publish/subscribe: retention, and an output with a name") {
  const configuration read = parse_config(channel_of(
      "pattern: pubsub, retention_age: 1h, retention_bytes: 1MiB, retention_records: 5000000000, "
      "retention_until_acked: on, subscriptions_max: 3, in: '@tcp://h:1', out: [{endpoint: "
      "'@tcp://h:2', durable: archive}, "
      "{endpoint: '@tcp://h:3', peers: lossy}]"));
  for (const auto& error : read.errors) FAIL_CHECK(to_text("f", error));
  const channel_options& channel = read.devices.at(0).channels.at(0);
  const auto& options = std::get<pubsub_options>(channel.pattern);
  CHECK(options.name == "pubsub");
  CHECK(options.retention_age_ns == 3600 * second_ns);
  CHECK(options.retention_bytes == 1 << 20);
  CHECK(options.retention_records == 5'000'000'000);
  CHECK(options.retention_until_acked);
  CHECK(options.subscriptions_max == 3);
  CHECK(channel.out.at(0).durable == "archive");
  CHECK(channel.out.at(0).peers == plain_tracking::separate);
  CHECK(channel.out.at(1).peers == plain_tracking::lossy);
}

TEST_CASE("request-reply: services, workers and Majordomo endpoints") {
  const configuration read = parse_config(
      channel_of("pattern: reqrep, name: ask, attempt: 2s, deadline: 9s, attempts_max: 0, "
                 "reply_ttl: 1m, queue_max: 7, backoff_min: 1ms, "
                 "in: [{endpoint: '@tcp://h:1', service: echo}], out: [{endpoint: '@tcp://h:2', "
                 "service: echo}], workers: '@tcp://h:3', mdp: ['@tcp://h:4', '@tcp://h:5']"));
  for (const auto& error : read.errors) FAIL_CHECK(to_text("f", error));
  const channel_options& channel = read.devices.at(0).channels.at(0);
  const auto& options = std::get<reqrep_options>(channel.pattern);
  CHECK(options.name == "ask");
  CHECK(options.attempt_ns == 2 * second_ns);
  CHECK(options.deadline_ns == 9 * second_ns);
  CHECK(options.attempts_max == 0);
  CHECK(options.reply_ttl_ns == 60 * second_ns);
  CHECK(options.queue_max == 7);
  CHECK(channel.in.at(0).address == "echo");
  CHECK(channel.out.at(0).address == "echo");
  CHECK(channel.workers.size() == 1);
  CHECK(channel.mdp.size() == 2);
}

TEST_CASE("limits of queues and services, and of single ones") {
  const configuration read = parse_config(
      channel_of("pattern: pipeline, in: '@tcp://h:1', queues: {audit: {retention_records: 0}, "
                 "'log.*': {retention_age: 1m}, 'log.old.*': {}, '*': {retention_bytes: 2MiB}}, "
                 "retention_records: 9, retention_age: 1h"));
  for (const auto& error : read.errors) FAIL_CHECK(to_text("f", error));
  const auto& options = std::get<pipeline_options>(read.devices.at(0).channels.at(0).pattern);
  const retention_rules& rules = options.retention;
  CHECK(rules.of("audit") == queue_limits{3600 * second_ns, 0, 0});
  CHECK(rules.of("log.x") == queue_limits{60 * second_ns, 0, 9});
  CHECK(rules.of("log.old.x") == rules.all);
  CHECK(rules.of("audit2") == queue_limits{3600 * second_ns, 2 << 20, 9});

  const configuration asks = parse_config(channel_of(
      "pattern: reqrep, in: '@tcp://h:1', retention_bytes: 1MiB, services: {echo: {retention_age: "
      "5s}}"));
  for (const auto& error : asks.errors) FAIL_CHECK(to_text("f", error));
  const auto& services = std::get<reqrep_options>(asks.devices.at(0).channels.at(0).pattern);
  CHECK(services.retention.of("echo") == queue_limits{5 * second_ns, 1 << 20, 0});
  CHECK(parse_config(channel_of("pattern: pipeline, in: '@tcp://h:1'")).errors.empty());
}

TEST_CASE("mistakes in the limits of queues are told at their place") {
  const auto told = [](const std::string& keys) {
    return only_error(channel_of("pattern: pipeline, in: '@tcp://h:1', " + keys));
  };
  CHECK(told("queues: audit") == "f:4:51: queues must be a map (name: {limits})");
  CHECK(told("queues: {audit: 5}") == "f:4:59: queue 'audit' must be a map (key: value)");
  CHECK(told("queues: {audit: {retention_recods: 5}}") ==
        "f:4:60: queue 'audit' has no key 'retention_recods'; did you mean 'retention_records'?");
  CHECK(told("queues: {a: {retention_age: 5}}").starts_with("f:4:71: retention_age: "));
  CHECK(told("queues: {a: {}, a: {}}") == "f:4:59: key 'a' stands twice");
  CHECK(told("queues: {a.dlq: {}}").ends_with("names ending in .dlq are kept for dead letters"));
  CHECK(told("retention_until_acked: on")
            .starts_with("f:4:43: a channel has no key 'retention_until_acked'"));
  CHECK(only_error(channel_of("pattern: pubsub, in: '@tcp://h:1', queues: {a: {}}"))
            .starts_with("f:4:41: a channel has no key 'queues'"));
}

TEST_CASE("a key of another pattern is unknown, and what cannot be is said") {
  CHECK(only_error(channel_of("pattern: pubsub, lease: 5s, in: '@tcp://h:1'"))
            .starts_with("f:4:23: a channel has no key 'lease'"));
  CHECK(only_error(channel_of("pattern: pipeline, retention_agee: 5s, in: '@tcp://h:1'"))
            .starts_with("f:4:25: a channel has no key 'retention_agee'"));
  CHECK(only_error(channel_of("pattern: pubsub, retention_agee: 5s, in: '@tcp://h:1'")) ==
        "f:4:23: a channel has no key 'retention_agee'; did you mean 'retention_age'?");
  CHECK(only_error(channel_of("pattern: pubsub, retention_until_acked: maybe, in: '@tcp://h:1'")) ==
        "f:4:46: retention_until_acked: 'maybe' is none of its values; one of: on, off, true, "
        "false");
  CHECK(only_error(channel_of("pattern: pubsub, retention_records: 1k, in: '@tcp://h:1'"))
            .starts_with("f:4:42: retention_records: '1k'"));
  CHECK(only_error(channel_of("pattern: pubsub, out: [{endpoint: '@tcp://h:1', peers: shared}]"))
            .ends_with("peers: 'shared' is none of its values; one of: separate, all_wait, lossy"));
  CHECK(only_error(channel_of("pattern: pubsub, out: [{endpoint: '@tcp://h:1', peers: all_wait, "
                              "durable: x}]"))
            .ends_with("channel 'pubsub': the durable output 'x' needs peers: separate"));
  CHECK(only_error(channel_of("pattern: reqrep, in: [{endpoint: '@tcp://h:1', service: a.reply}]"))
            .ends_with("service 'a.reply': names ending in .reply are kept for replies"));
  CHECK(only_error(channel_of("pattern: reqrep")) ==
        "f:4:5: channel 'reqrep' has no endpoint; give it in, out or reliable, workers or mdp");
}
