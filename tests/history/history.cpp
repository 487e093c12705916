#include "tests/history/history.hpp"

#include <algorithm>
#include <istream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sim/judge.hpp"

namespace history {
namespace {

using namespace holdfast::sim;

class court {
 public:
  court() : judged_(terms{}, told_) {}

  verdict hear(const std::vector<event>& events) {
    for (const event& one : events)
      if (one.what == "stopped") stops_[one.who].push_back({one.t, one.until});
    for (const event& one : events) take(one);
    judged_.end(events.empty() ? 0 : events.back().t);
    const judge::totals& counts = judged_.counts();
    verdict made{judged_.by(),    judged_.why(),    {},           counts.sent,
                 counts.accepted, counts.delivered, counts.again, counts.answered};
    if (judged_.failed()) made.story = told_.about(judged_.about());
    return made;
  }

 private:
  struct actor {
    std::uint32_t number = 0, lives = 0;
    channel_kind channel = channel_kind::pipeline;
    std::string as;
  };
  struct stop {
    std::uint64_t from = 0, until = 0;
  };

  void take(const event& e) {
    actor& who = actors_[e.who];
    const message_key key{e.from, 0, e.n};
    if (e.what == "starts")
      start(who, e);
    else if (e.what == "sends")
      judged_.sent(key, who.channel, e.t);
    else if (e.what == "accepted")
      accept(e);
    else if (e.what == "gets")
      get(who, e, key);
    else if (e.what == "done")
      judged_.finished(key, e.who, e.t);
    else if (e.what == "confirmed")
      confirm(who, e, key);
    else if (e.what == "answered")
      answer_to(e, key);
    else if (e.what == "stopped")
      told_.tell(e.t, "is stopped for a while", e.who);
    else if (e.what == "killed")
      told_.tell(e.t, "is killed", e.who);
    else if (e.what == "aborted")
      told_.tell(e.t, "is aborted by libzmq", e.who);
    else if (e.what == "cut")
      told_.tell(e.t, "are cut", e.who);
    else
      judged_.fail("history", "nobody knows what '" + e.what + "' means", {}, e.t);
  }

  void start(actor& who, const event& e) {
    if (who.number == 0) who.number = static_cast<std::uint32_t>(actors_.size());
    who.as = e.as;
    who.channel = e.as == "publisher" || e.as == "subscriber" ? channel_kind::pubsub
                  : e.as == "requester" || e.as == "replier"  ? channel_kind::reqrep
                                                              : channel_kind::pipeline;
    told_.tell(e.t, "starts", e.who, {}, ++who.lives);
    if (e.as != "subscriber") return;
    judged_.subscriber_began(who.number);
    if (who.lives == 1) judged_.attached({who.number, "", true, true, {1, 1, 1}, e.t}, e.who);
  }

  void accept(const event& e) {
    for (std::uint64_t& n = accepted_[e.from]; n < e.n;)
      judged_.accepted({e.from, 0, ++n}, promise::disk, promise::disk, e.t, e.t);
  }

  void get(const actor& who, const event& e, const message_key& key) {
    delivery how;
    how.key = key;
    how.exact = e.exact;
    how.who = e.who;
    how.channel = who.channel;
    how.where = {static_cast<std::uint32_t>(who.channel), 1, e.seq};
    how.left_ns = left_ns(e);
    how.now_ns = e.t;
    how.session = who.number * 1000ull + who.lives;
    how.subscription = who.channel == channel_kind::pubsub ? who.number : 0;
    how.again = e.again;
    judged_.delivered(how);
  }

  /// When it left the device at the earliest. What is said to come again may have overtaken what is
  /// not: those are a whole slack apart.
  std::uint64_t left_ns(const event& e) const {
    std::uint64_t since = e.t;
    if (const auto at = stops_.find(e.who); at != stops_.end())
      for (const stop& one : at->second)
        if (one.from <= e.t && e.t <= one.until + slack_ns) since = std::min(since, one.from);
    const std::uint64_t late = e.again ? slack_ns : 2 * slack_ns;
    return since > late ? since - late : 1;
  }

  void confirm(const actor& who, const event& e, const message_key& key) {
    if (who.channel == channel_kind::pubsub)
      judged_.passed(who.number, {1, 1, e.seq}, promise::disk, e.t, e.t);
    else
      judged_.confirmed(key, promise::disk, e.who, e.t, e.t);
  }

  /// A request has one reply, and each is told here once.
  void answer_to(const event& e, const message_key& key) {
    if (!answered_.insert(key).second) return judged_.fail("answers", "answered twice", key, e.t);
    answer got;
    got.request = key;
    got.status = e.status;
    got.exact = e.exact;
    got.now_ns = e.t;
    judged_.answered(got, e.who);
  }

  story told_;
  judge judged_;
  std::map<std::string, actor> actors_;
  std::map<std::string, std::vector<stop>> stops_;
  std::map<std::uint32_t, std::uint64_t> accepted_;  // of each sender, up to
  std::set<message_key> answered_;
};

event event_of(const nlohmann::json& line) {
  event e;
  e.t = line.at("t");
  e.who = line.at("who");
  e.what = line.at("what");
  e.as = line.value("as", "");
  e.from = line.value("from", 0u);
  e.n = line.value("n", std::uint64_t{});
  e.seq = line.value("seq", std::uint64_t{});
  e.until = line.value("until", std::uint64_t{});
  e.status = line.value("status", std::uint16_t{});
  e.again = line.value("again", 0) != 0;
  e.exact = line.value("exact", 0) != 0;
  return e;
}

}  // namespace

bool read(std::istream& file, std::vector<event>& into, std::string& wrong) {
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (file.eof()) return true;  // killed while it was written
    try {
      into.push_back(event_of(nlohmann::json::parse(line)));
    } catch (const nlohmann::json::exception& why) {
      wrong = "line " + std::to_string(number) + ": " + why.what();
      return false;
    }
  }
  return true;
}

verdict verdict_on(std::vector<event> events) {
  std::stable_sort(events.begin(), events.end(),
                   [](const event& a, const event& b) { return a.t < b.t; });
  return court().hear(events);
}

}  // namespace history
