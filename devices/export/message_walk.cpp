#include "devices/export/message_walk.hpp"

#include <algorithm>

namespace holdfast {
namespace {

constexpr std::uint64_t dt_unit_ns = 16'000;
constexpr std::size_t topic_bytes_max = 255;

std::string_view as_text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// True if it was not there; most come in order, behind the last.
bool add(std::map<std::uint64_t, std::uint64_t>& met, std::uint64_t sequence) {
  auto after = met.upper_bound(sequence);
  if (after != met.begin()) {
    const auto before = std::prev(after);
    if (before->second > sequence) return false;
    if (before->second == sequence) {
      ++before->second;
      if (after != met.end() && after->first == before->second) {
        before->second = after->second;
        met.erase(after);
      }
      return true;
    }
  }
  std::uint64_t end = sequence + 1;
  if (after != met.end() && after->first == end) {
    end = after->second;
    after = met.erase(after);
  }
  met.emplace_hint(after, sequence, end);
  return true;
}

bool at_or_behind(const stored_message& m, const export_bound& bound) {
  return (bound.is_time ? m.time_ns : m.sequence) >= bound.value;
}

}  // namespace

void decode_heads(std::string_view address, bytes_view first_part,
                  std::optional<request_head>& request, std::optional<reply_head>& reply) {
  constexpr std::string_view reply_suffix = ".reply";
  request.reset();
  reply.reset();
  if (address.ends_with(reply_suffix))
    reply = decode_reply_head(first_part);
  else
    request = decode_request_head(first_part);
}

// A time is that of a message: up to this much later than its record's.
constexpr std::uint64_t dt_most_ns = 0xffff * dt_unit_ns;

bool message_walk::wants_stream(stream_id stream) const {
  const stream_def* in = names_.stream(stream);
  if (in == nullptr) return wanted_.channel.empty();
  if (!wanted_.channel.empty() && in->channel != wanted_.channel) return false;
  return names_.pattern(in->channel) == "pubsub" || wants_address(in->address);
}

record_choice message_walk::choice() const {
  record_choice made;
  const bool some =
      !wanted_.channel.empty() || !wanted_.addresses.empty() || !wanted_.topics.empty();
  if (some) made.stream = [this](stream_id stream) { return wants_stream(stream); };
  if (wanted_.from && wanted_.from->is_time)
    made.from_ns = wanted_.from->value - std::min(wanted_.from->value, dt_most_ns);
  return made;
}

// Cheap, before any entry is looked at.
bool message_walk::wants_block(const record_view& record) const {
  if (record.head.type != record_type::block) return false;
  if (wanted_.channel.empty()) return true;
  const stream_def* in = names_.stream(record.head.stream);
  return in != nullptr && in->channel == wanted_.channel;
}

bool message_walk::wants(const stored_message& m) const {
  if (wanted_.from && !at_or_behind(m, *wanted_.from)) return false;
  if (wanted_.to && at_or_behind(m, *wanted_.to)) return false;
  return wants_address(m.address);
}

bool message_walk::wants_address(std::string_view address) const {
  if (wanted_.addresses.empty() && wanted_.topics.empty()) return true;
  return std::any_of(wanted_.addresses.begin(), wanted_.addresses.end(),
                     [&](const std::string& a) { return a == address; }) ||
         std::any_of(wanted_.topics.begin(), wanted_.topics.end(),
                     [&](const std::string& t) { return address.starts_with(t); });
}

// What of its parts is the payload: a topic of pub/sub and the heads of reqrep stand before it.
void message_walk::tell_apart(stored_message& m) {
  if (m.in != nullptr) m.address = m.in->address;
  if (m.pattern == "pubsub" && m.parts.size() >= 2 && m.parts[0].size() <= topic_bytes_max) {
    m.address = as_text(m.parts[0]);
    m.before = 1;
  } else if (m.pattern == "reqrep") {
    decode_heads(m.address, m.parts[0], m.request, m.reply);
    if (m.reply || m.request) m.before = 1;
  }
}

bool message_walk::feed(const record_view& record, const taker& take) {
  names_.take(record);
  if (!wants_block(record)) return true;
  stored_message m;
  m.block = record.head;
  m.position = record.position;
  m.in = names_.stream(record.head.stream);
  if (m.in != nullptr) m.pattern = names_.pattern(m.in->channel);
  m.producer = names_.producer(record.head.producer);
  sequences& met = met_[record.head.stream];
  entry_walker entries(record.body);
  entry one;
  for (std::uint64_t n = 0; entries.next(one); ++n) {
    m.sequence = record.head.first_sequence + n;
    if (one.voided() || !add(met, m.sequence)) continue;
    m.time_ns = record.head.time_ns + one.dt * dt_unit_ns;
    m.producer_number = record.head.producer == 0 ? 0 : record.head.producer_number + n;
    m.properties = one.props;
    parts_.clear();
    for_each_part(one, [&](bytes_view part) { parts_.push_back(part); });
    m.parts = parts_;
    m.before = 0;
    m.request.reset();
    m.reply.reset();
    tell_apart(m);
    if (wants(m) && !take(m)) return false;
  }
  return true;
}

}  // namespace holdfast
