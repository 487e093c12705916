// The verbs that are endpoints of pub/sub and request-reply: pub, sub, req, rep; and of any: bench.
#include "devices/cli/report.hpp"
#include "devices/cli/words.hpp"

namespace holdfast::cli {
namespace {

struct req_words {
  std::vector<std::string> words;
  req_args args;
};
struct rep_words {
  std::vector<std::string> words;
  rep_args args;
};

constexpr const char* no_service =
    "name a service; only --plain does without (a plain endpoint has one service)";

taken take_req(req_words& given) {
  auto& words = given.words;
  req_args args = given.args;
  if (!args.plain) {
    if (words.empty()) return fail_usage(no_service);
    args.service = words.front();
    words.erase(words.begin());
  }
  args.body = words;
  return command(args);
}

taken take_rep(rep_words& given) {
  rep_args args = given.args;
  if (given.words.size() != (args.plain ? 0 : 1)) return fail_usage(no_service);
  if (!args.plain) args.service = given.words.front();
  return command(args);
}

void add_pubsub(verbs& to) {
  auto [pub, out] = to.add<pub_args>("pub", "Publish each line of standard input as a message");
  pub.footer("Exit status 0 once every message is accepted.");
  pub.add_option("ENDPOINT", out.endpoint, "Reliable endpoint of a device")->required();
  pub.add_option("--topic", out.topic, "First part of every message");
  add_timeout(pub, "Give up after so long without progress", out.timeout_ns);
  add_form(pub, out.plain, out.format);

  auto [sub, in] = to.add<sub_args>("sub", "Print each message published as a line, in order");
  sub.add_option("ENDPOINT", in.endpoint, "Reliable endpoint of a device")->required();
  sub.add_option("--topic", in.topics, "Only messages whose first part begins so; again for more");
  sub.add_option("--durable", in.durable,
                 "Name of the subscription: it goes on behind what was printed before");
  sub.add_option("--from", in.from,
                 "Where a new subscription begins: next (default), first, last, a sequence, a time "
                 "(2026-03-01T12:30:00Z) or how long ago (-10m)");
  add_count(sub, "Stop after so many messages", in.count);
  add_timeout(sub, "Stop after so long without a message", in.timeout_ns);
  add_form(sub, in.plain, in.format);
  add_decode(sub, in.decode);
}

void add_reqrep(verbs& to) {
  auto [req, asked] = to.add<req_words>("req", "Ask a service and print its reply", take_req);
  req.footer("Without BODY each line of standard input is a request.");
  req.add_option("ENDPOINT", asked.args.endpoint, "Reliable endpoint of a device")->required();
  req.add_option("SERVICE", asked.words, "The service, then the parts of one request (BODY...)");
  add_timeout(req, "Deadline of each request (default 60s)", asked.args.timeout_ns);
  req.add_option("--attempts", asked.args.attempts, "Failed ones at most (default: the channel's)")
      ->check(CLI::Range(1, 65'535));
  add_form(req, asked.args.plain, asked.args.format);

  auto [rep, answered] =
      to.add<rep_words>("rep", "Answer requests with what a command prints", take_rep);
  rep.footer("A command that fails rejects its request: the requester gets status 500.");
  rep.add_option("ENDPOINT", answered.args.endpoint, "Reliable endpoint of a device")->required();
  rep.add_option("SERVICE", answered.words, "The service");
  rep.add_option("--exec", answered.args.exec, "Run by sh for each request, which it reads")
      ->required();
  add_count(rep, "Stop after so many requests", answered.args.count);
  add_timeout(rep, "Stop after so long without a request", answered.args.timeout_ns);
  add_form(rep, answered.args.plain, answered.args.format);
}

// For the list of verbs; what it is given is the other program's to read.
void add_bench(verbs& to) {
  to.add<bench_args>("bench", "Measure a line: send at one endpoint, receive at another");
}

}  // namespace

void add_peer_words(verbs& to) {
  add_pubsub(to);
  add_reqrep(to);
  add_bench(to);
}

}  // namespace holdfast::cli
