#include <array>

#include "devices/cli/answer_fields.hpp"
#include "devices/cli/status_text.hpp"

namespace holdfast::cli {
namespace {

using json = answer_json;

// The identity: `in` is the sum of these.
constexpr std::array<const char*, 13> places{
    "acked",   "settled", "in_doubt", "ready",  "in_flight", "delayed",      "prepared",
    "expired", "dead",    "redriven", "purged", "dropped",   "lost_at_power"};

std::string spoken(std::string_view key) {
  std::string text(key);
  for (char& c : text)
    if (c == '_') c = ' ';
  return text;
}

// What the streams of a pattern are called.
std::string_view stream_word(std::string_view pattern) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 3> words{
      {{"pipeline", "queue"}, {"pubsub", "messages"}, {"reqrep", "service"}}};
  for (const auto& [of, called] : words)
    if (of == pattern) return called;
  return "stream";
}

// ", 3 ready" for each figure that is not zero.
template <class Keys>
void add_figures(const json& from, const Keys& keys, std::string& out) {
  for (const char* key : keys)
    if (const std::uint64_t value = figure(from, key); value != 0)
      out += ", " + std::to_string(value) + " " + spoken(key);
}

void add_consumer(const json& consumer, std::string& out) {
  out += "    " + word(consumer, "kind") + " consumer " + word(consumer, "name") + ": " +
         std::to_string(figure(consumer, "delivered")) + " delivered";
  add_figures(consumer, std::array{"in_flight", "in_doubt"}, out);
  if (const std::uint64_t most = figure(consumer, "in_doubt_max"); most != 0)
    out += " (in doubt: the last " + std::to_string(most) + " messages and the last " +
           std::to_string(figure(consumer, "in_doubt_bytes_min") >> 10) + " KiB)";
  out += '\n';
}

// A subscription: its place, and where its messages are.
void add_group(const json& group, std::string& out) {
  const json& counts = object(group, "counts");
  out += "    " + word(group, "kind") + " subscription " + word(group, "name") +
         (truth(group, "attached") ? "" : " (away)") + ": " + std::to_string(figure(group, "lag")) +
         " behind, " + std::to_string(figure(counts, "in")) + " in";
  add_figures(counts, places, out);
  out += '\n';
}

void add_stream(const json& stream, std::string_view kind, std::string& out) {
  const json& counts = object(stream, "counts");
  out += "  " + std::string(kind);
  if (const std::string address = word(stream, "address"); !address.empty()) out += " " + address;
  out += ": " + std::to_string(figure(counts, "in")) + " in";
  add_figures(counts, places, out);
  std::uint64_t sum = 0;
  for (const char* place : places) sum += figure(counts, place);
  if (sum != figure(counts, "in"))
    out += "; these add up to " + std::to_string(sum) + ", not to in";
  std::string more;
  add_figures(stream, std::array{"dropped_by_retention", "redelivered", "duplicates", "late_acks"},
              more);
  if (!more.empty()) out += ";" + more.substr(1);
  out += '\n';
  for (const json& consumer : list(stream, "consumers"))
    if (consumer.is_object()) add_consumer(consumer, out);
  for (const json& group : list(stream, "groups"))
    if (group.is_object()) add_group(group, out);
}

void add_channel(const json& channel, std::string& out) {
  out += "channel " + word(channel, "name") + " (" + word(channel, "pattern") + ", " +
         word(channel, "durability") + "): " + std::to_string(figure(channel, "sessions")) +
         " sessions";
  add_figures(
      channel,
      std::array{"producers", "bad_frames", "stale_frames", "resyncs", "refusals", "resets"}, out);
  out += '\n';
  for (const json& stream : list(channel, "streams"))
    if (stream.is_object()) add_stream(stream, stream_word(word(channel, "pattern")), out);
}

void add_journal(const json& journal, std::string& out) {
  out += "journal: " + std::to_string(figure(journal, "segments")) + " segments, " +
         std::to_string(figure(journal, "disk_bytes")) + " bytes on disk, " +
         std::to_string(figure(journal, "live_bytes")) + " live";
  add_figures(journal, std::array{"recycled", "relocated", "rewritten", "corrupt"}, out);
  if (truth(journal, "held"))
    out += "; held: a file cannot be made";
  else if (truth(journal, "full"))
    out += "; full";
  const std::string failure = word(journal, "failure");
  out += (failure.empty() ? "" : "; " + failure) + "\n";
}

}  // namespace

result<std::string> status_text(std::string_view text) {
  const json device = json::parse(text, nullptr, false);
  if (!device.is_object())
    return status{errc::bad_frame, "the device's status is no JSON object; is it another version?"};
  std::string out = "device " + word(device, "name");
  if (const std::string data = word(device, "data"); !data.empty()) out += ", journal in " + data;
  out += '\n';
  if (const json& journal = object(device, "journal"); !journal.empty()) add_journal(journal, out);
  if (const json& bridge = object(device, "bridge"); !bridge.empty()) {
    out += "bridge " + word(bridge, "direction") + ", far device " + word(bridge, "far") + ": " +
           word(bridge, "state");
    add_figures(bridge, std::array{"carried", "waiting", "refused", "silent_ms"}, out);
    const std::string failure = word(bridge, "failure");
    out += (failure.empty() ? "" : "; " + failure) + "\n";
  }
  for (const json& channel : list(device, "channels"))
    if (channel.is_object()) add_channel(channel, out);
  return out;
}

}  // namespace holdfast::cli
