// Words typed as commands: what is understood, and how a mistake is answered.
#include "devices/cli/command_line.hpp"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/clock.hpp"

using namespace holdfast;
using namespace holdfast::cli;

namespace {

// Catches what is written to a descriptor while it lives.
class captured {
 public:
  explicit captured(int fd) : fd_(fd), kept_(::dup(fd)), file_(std::tmpfile()) {
    std::fflush(nullptr);
    ::dup2(::fileno(file_), fd_);
  }
  ~captured() {
    std::fflush(nullptr);
    ::dup2(kept_, fd_);
    ::close(kept_);
    std::fclose(file_);
  }
  std::string text() {
    std::fflush(nullptr);
    std::string all(1 << 16, '\0');
    const ssize_t got = ::pread(::fileno(file_), all.data(), all.size(), 0);
    all.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
    return all;
  }

 private:
  int fd_, kept_;
  std::FILE* file_;
};

struct answer {
  std::variant<command, int> parsed;
  std::string out, err;
};

answer typed(std::vector<const char*> words) {
  words.insert(words.begin(), "holdfast");
  captured out(STDOUT_FILENO), err(STDERR_FILENO);
  auto parsed = parse_command_line(static_cast<int>(words.size()), words.data());
  return {std::move(parsed), out.text(), err.text()};
}

template <class T>
T understood(std::vector<const char*> words) {
  answer a = typed(std::move(words));
  REQUIRE_MESSAGE(std::holds_alternative<command>(a.parsed), a.err);
  REQUIRE(std::holds_alternative<T>(std::get<command>(a.parsed)));
  return std::get<T>(std::get<command>(a.parsed));
}

std::string mistake(std::vector<const char*> words) {
  answer a = typed(std::move(words));
  REQUIRE(std::holds_alternative<int>(a.parsed));
  CHECK(std::get<int>(a.parsed) == 2);
  CHECK(a.out.empty());
  return a.err;
}

bool has(const std::string& text, const char* piece) {
  const bool found = text.find(piece) != std::string::npos;
  if (!found) MESSAGE(text);
  return found;
}

}  // namespace

TEST_CASE("a pipeline without a file") {
  const auto args = understood<device_args>(
      {"pipeline", "--data", "d", "--in", "@tcp://127.0.0.1:1", "--in", "@tcp://127.0.0.1:2",
       "--out", "@tcp://127.0.0.1:3", "@tcp://127.0.0.1:4", "--reliable", "@tcp://127.0.0.1:5",
       "--durability", "interval:20ms", "--name", "n", "--peers", "shared"});
  REQUIRE(args.device.channels.size() == 1);
  const channel_options& channel = args.device.channels[0];
  CHECK(args.device.name == "n");
  CHECK(args.device.data == "d");
  CHECK(channel.settings().name == "n");
  CHECK(channel.settings().durability == level::interval);
  CHECK(channel.settings().interval_ms == 20);
  CHECK(channel.in.size() == 2);
  REQUIRE(channel.out.size() == 2);
  CHECK(channel.out[1].endpoint == "@tcp://127.0.0.1:4");
  CHECK(channel.out[1].peers == plain_tracking::shared);
  CHECK(channel.reliable.size() == 1);
}

TEST_CASE("pub/sub and request-reply without a file") {
  const auto sub = understood<device_args>({"pubsub", "--data", "d", "--in", "@tcp://127.0.0.1:1",
                                            "--out", "@tcp://127.0.0.1:2", "--durable", "archive"});
  const channel_options& topics = sub.device.channels[0];
  CHECK(std::holds_alternative<pubsub_options>(topics.pattern));
  CHECK(topics.settings().name == "pubsub");
  CHECK(topics.out.at(0).durable == "archive");
  const auto ask =
      understood<device_args>({"reqrep", "--data", "d", "--in", "@tcp://127.0.0.1:1", "--workers",
                               "@tcp://127.0.0.1:2", "--mdp", "@tcp://127.0.0.1:3", "--name", "n"});
  const channel_options& service = ask.device.channels[0];
  CHECK(std::holds_alternative<reqrep_options>(service.pattern));
  CHECK(service.settings().name == "n");
  CHECK(service.workers.size() == 1);
  CHECK(service.mdp.at(0).endpoint == "@tcp://127.0.0.1:3");
  CHECK(has(mistake({"pubsub", "--data", "d", "--out", "@tcp://127.0.0.1:2", "--peers", "shared"}),
            "one of: separate, all_wait, lossy"));
}

TEST_CASE("push and pull") {
  const auto push = understood<push_args>({"push", "tcp://h:1", "--queue", "q", "--parts", "\\t"});
  CHECK(push.endpoint == "tcp://h:1");
  CHECK(push.queue == "q");
  CHECK(push.format.separator == "\t");
  CHECK_FALSE(push.plain);
  const auto pull = understood<pull_args>(
      {"pull", "tcp://h:1", "--count=3", "--timeout", "10", "--plain", "--json"});
  CHECK(pull.count == 3);
  CHECK(pull.timeout_ns == 10 * second_ns);
  CHECK(pull.plain);
  CHECK(pull.format.json);
  CHECK(understood<pull_args>({"pull", "tcp://h:1", "--timeout", "50ms"}).timeout_ns == 50 * ms_ns);
}

TEST_CASE("journal verbs") {
  CHECK(understood<journal_args>({"journal", "ls", "d"}).what == journal_args::verb::ls);
  const auto verify = understood<journal_args>({"journal", "verify", "d", "--json"});
  CHECK(verify.what == journal_args::verb::verify);
  CHECK(verify.json);
  CHECK(understood<journal_args>({"journal", "cat", "d"}).what == journal_args::verb::cat);
}

TEST_CASE("journal export and follow") {
  const auto lines = understood<export_args>({"journal", "export", "d"});
  CHECK(lines.form == export_args::format::jsonl);
  CHECK(lines.output.empty());
  const auto mcap = understood<export_args>(
      {"journal", "export", "d", "-o", "x.mcap", "--channel", "c", "--address", "a", "--address",
       "b", "--topic", "t/", "--from", "7", "--to", "2026-03-01T12:30:00Z", "--encoding", "json"});
  CHECK(mcap.form == export_args::format::mcap);
  CHECK(mcap.choice.addresses == std::vector<std::string>{"a", "b"});
  CHECK(understood<export_args>({"journal", "export", "--address", "a", "d"}).directory == "d");
  CHECK_FALSE(mcap.choice.from->is_time);
  CHECK(mcap.choice.to->is_time);
  CHECK(mcap.choice.to->value == 1'772'368'200 * second_ns);
  CHECK(has(mistake({"journal", "export", "d", "--format", "bag"}), "neither jsonl nor mcap"));
  CHECK(has(mistake({"journal", "export", "d", "--from", "yesterday"}), "2026-03-01T12:30:00Z"));
  CHECK(has(mistake({"journal", "export", "d", "--schema", "f"}), "--schema requires --schema-"));
  const auto follow = understood<follow_args>(
      {"journal", "follow", "d", "--json", "--count", "3", "--from", "first"});
  CHECK(follow.count == 3);
  CHECK(follow.from == 0);
  CHECK(understood<follow_args>({"journal", "follow", "d"}).from == ~std::uint64_t{0});
  CHECK(has(mistake({"journal", "folow", "d"}), "did you mean 'follow'?"));
}

TEST_CASE("a mistyped word is answered with the nearest one") {
  CHECK(has(mistake({"psuh", "tcp://h:1"}), "holdfast has no verb 'psuh'; did you mean 'push'?"));
  CHECK(has(mistake({"journal", "verfy", "d"}),
            "holdfast journal has no verb 'verfy'; did you mean 'verify'?"));
  CHECK(has(mistake({"pull", "tcp://h:1", "--cuont", "3"}),
            "holdfast pull has no option '--cuont'; did you mean '--count'?"));
  CHECK(has(mistake({"pull", "tcp://h:1", "--cuont=3"}), "did you mean '--count'?"));
  CHECK(has(mistake({"--verzion"}), "did you mean '--version'?"));
  CHECK(has(mistake({"pipeline", "--data", "d", "--in", "@tcp://h:1", "--durability", "dsik"}),
            "did you mean 'disk'?"));
  CHECK(has(mistake({"push", "tcp://h:1", "extra"}), "'extra' is one argument too many"));
}

TEST_CASE("what is missing or cannot be is said") {
  CHECK(has(mistake({}), "holdfast"));
  CHECK(has(mistake({"push"}), "ENDPOINT"));
  CHECK(has(mistake({"pull", "tcp://h:1", "--timeout", "soon"}), "'soon"));
  CHECK(has(mistake({"pull", "tcp://h:1", "--count", "-1"}), "count"));
  CHECK(has(mistake({"pipeline", "--data", "d"}), "has no endpoint"));
  CHECK(has(mistake({"pipeline", "--data", "d", "--in", "@tcp://h:1", "--out", "@tcp://h:1"}),
            "used twice"));
  CHECK(has(mistake({"pipeline", "--in", "@tcp://h:1"}), "--data"));
  CHECK(has(mistake({"pipeline", "--data", "d", "--in", "tpc://h:1"}), "tpc://h:1"));
}

TEST_CASE("help and version are answers, not mistakes") {
  for (const auto& words : std::vector<std::vector<const char*>>{{"--help"},
                                                                 {"--version"},
                                                                 {"push", "--help"},
                                                                 {"journal", "--help"},
                                                                 {"journal", "cat", "--help"}}) {
    answer a = typed(words);
    REQUIRE(std::holds_alternative<int>(a.parsed));
    CHECK(std::get<int>(a.parsed) == 0);
    CHECK_FALSE(a.out.empty());
    CHECK(a.err.empty());
  }
  CHECK(typed({"--version"}).out.starts_with("holdfast "));
}
