#include "devices/cli/promise_json.hpp"

namespace holdfast::cli {
namespace {

using json = answer_json;

std::string size_of(std::uint64_t bytes) {
  if (bytes >= 1 << 20) return std::to_string(bytes >> 20) + " MiB";
  if (bytes >= 1 << 10) return std::to_string(bytes >> 10) + " KiB";
  return std::to_string(bytes) + " B";
}

void add_input(const json& at, const json& channel, endpoint_promise& made) {
  const std::string pattern = word(channel, "pattern");
  const std::string hwm = std::to_string(figure(at, "receive_hwm"));
  const std::string most = size_of(figure(channel, "max_message"));
  const bool publishers = pattern == "pubsub" || truth(at, "subscribes");
  made.peers = publishers            ? "plain PUB, XPUB"
               : pattern == "reqrep" ? "plain REQ, DEALER"
                                     : "plain PUSH";
  made.promised =
      pattern == "reqrep"
          ? "what the device has read is kept until its reply, and answered once"
          : "what the device has read is kept at the channel's level; the sender is not "
            "told";
  made.in_doubt = "nothing: it is read, or it is not";
  if (figure(at, "receive_hwm") != 0)
    made.loss.push_back("unread here: up to " + hwm + " messages a peer, of " + most + " each");
  if (const std::uint64_t ahead = figure(at, "read_ahead_bytes"); ahead != 0)
    made.loss.push_back("read here and not stored yet: up to " + size_of(ahead) +
                        " a peer, or one message");
  made.loss.push_back(
      "the kernel's buffers of each connection, and the sender's own queue (its "
      "SNDHWM), die with the host or process that holds them");
  if (publishers)
    made.loss.push_back(
        "a PUB drops what it sends before it has seen the device's subscription, and "
        "beyond its SNDHWM");
  if (pattern == "reqrep")
    made.loss.push_back(
        "a reply to a client whose connection is gone waits until the reply's time "
        "is over");
}

void add_bound(const json& at, endpoint_promise& made) {
  made.in_doubt = "the last " + std::to_string(figure(at, "in_doubt_messages")) +
                  " messages handed to a peer, and the last " +
                  size_of(figure(at, "in_doubt_bytes_min")) + ", at most " +
                  size_of(figure(at, "in_doubt_bytes")) + "; they come again when it goes";
}

void add_output(const json& at, const json& channel, endpoint_promise& made) {
  const std::string pattern = word(channel, "pattern"), mode = word(at, "tracking");
  made.peers = (pattern == "pubsub"   ? "plain SUB, "
                : pattern == "reqrep" ? "plain REP, "
                                      : "plain PULL, ") +
               mode;
  if (pattern == "reqrep") {
    made.promised = "a request is outstanding at one worker at a time; the reply is its ack";
    made.in_doubt =
        "one request a worker: when the worker goes, another gets it, and may do it "
        "again";
    if (mode != "separate") made.loss.push_back("a worker that goes is only noticed by time-out");
    return;
  }
  const std::string hwm = std::to_string(figure(at, "send_hwm"));
  if (mode == "separate") {
    made.promised = pattern == "pubsub" && word(at, "durable").empty()
                        ? "complete and in order for as long as the peer stays connected"
                        : "at least once; a peer's place is its own";
    if (const std::string name = word(at, "durable"); !name.empty())
      made.promised = "at least once, for the subscription '" + name + "', absent or not";
    add_bound(at, made);
    made.loss.push_back(
        "what a peer's own queue and kernel hold beyond that bound is lost with it");
  } else if (mode == "ack_back") {
    made.promised = "at least once: a message is done when its delivery id came back";
    made.in_doubt = "all that is not acked; it comes again when its lease is over";
  } else if (mode == "lossy") {
    made.promised = "nothing beyond the hand-over";
    made.in_doubt = "not tracked";
    made.loss.push_back("a subscriber that is too slow misses messages beyond " + hwm +
                        " in its queue, uncounted");
  } else {
    made.promised = "at most once from here on: the hand-over is the ack";
    made.in_doubt = "not tracked";
    made.loss.push_back("up to " + hwm +
                        " messages a peer in the socket here, and what its own queue and kernel "
                        "hold, are lost with the peer or the device");
  }
}

void add_reliable(const json& channel, endpoint_promise& made) {
  const std::string pattern = word(channel, "pattern");
  made.peers = "reliable (HFP/1)";
  made.promised = pattern == "pubsub"
                      ? "accepted once, in order; a durable subscription goes on at its last ack"
                  : pattern == "reqrep"
                      ? "an accepted request is answered once; its id brings the stored reply again"
                      : "accepted once, in order per producer; delivered at least once until acked";
  made.in_doubt = pattern == "reqrep" ? "a request at a worker that goes is given to another"
                                      : "what a consumer had and did not ack comes again";
  if (word(channel, "durability") != "disk")
    made.loss.push_back("power loss: what was accepted and not synced yet");
}

// "older than 60 s, beyond 4 MiB or beyond 10 messages"; empty without limits.
std::string limits_of(const json& retention) {
  std::vector<std::string> all;
  if (const auto ms = figure(retention, "age_ms"))
    all.push_back("older than " +
                  (ms < 1000 ? std::to_string(ms) + " ms" : std::to_string(ms / 1000) + " s"));
  if (const auto bytes = figure(retention, "bytes")) all.push_back("beyond " + size_of(bytes));
  if (const auto most = figure(retention, "records"))
    all.push_back("beyond " + std::to_string(most) + " messages");
  std::string text;
  for (std::size_t i = 0; i < all.size(); ++i)
    text += (i == 0 ? "" : i + 1 == all.size() ? " or " : ", ") + all[i];
  return text;
}

// What the channel lets go of by itself.
void add_retention(const json& channel, endpoint_promise& made) {
  const json& retention = object(channel, "retention");
  const std::string limits = limits_of(retention);
  if (word(channel, "pattern") == "pubsub") {
    if (!limits.empty())
      made.loss.push_back("what is " + limits + " goes: who is further behind is told of the gap");
    return;
  }
  if (!limits.empty())
    made.loss.push_back("what is " + limits + " and nobody holds is dropped, and counted");
  if (const auto own = figure(retention, "own_rules"))
    made.loss.push_back("limits of their own, by name or prefix: " + std::to_string(own) +
                        "; what exceeds them is dropped, and counted");
}

}  // namespace

std::string level_of(const json& channel) {
  const std::string level = word(channel, "durability");
  if (level == "disk") return "disk (synced before it is accepted: survives power loss)";
  if (level == "process") return "process (survives kill -9 of the device; power loss does not)";
  return "interval (survives kill -9; power loss costs at most the last " +
         std::to_string(figure(channel, "interval_ms")) + " ms)";
}

endpoint_promise promise_of(const json& at, const json& channel) {
  endpoint_promise made;
  const std::string role = word(at, "role");
  if (role == "in") {
    add_input(at, channel, made);
  } else if (role == "out") {
    add_output(at, channel, made);
  } else if (role == "reliable") {
    add_reliable(channel, made);
  } else if (role == "ack_back") {
    made = {"plain PUSH: delivery ids",
            "an id that is read is an ack",
            "-",
            {"an ack that is lost on its way: the message comes again"}};
  } else {
    made = {role == "mdp" ? "Majordomo 0.1" : "READY-style DEALER workers",
            "a request is outstanding at one worker at a time; the reply is its ack",
            "one request a worker: when it goes or falls silent, another gets it",
            {}};
  }
  if (role != "in" && role != "ack_back") add_retention(channel, made);
  if (made.loss.empty()) made.loss.emplace_back("none: what was accepted is kept");
  return made;
}

}  // namespace holdfast::cli
