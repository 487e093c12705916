#include "devices/cli/record_json.hpp"

#include <array>

#include "journal/format.hpp"
#include "patterns/pubsub/records.hpp"
#include "patterns/records.hpp"
#include "plugins/json/text.hpp"

namespace holdfast::cli {
namespace {

using json_object = nlohmann::ordered_json;

const char* type_name(record_type type) {
  switch (type) {
    case record_type::watermark: return "watermark";
    case record_type::gap: return "gap";
    case record_type::closed: return "closed";
    case record_type::pad: return "pad";
    case record_type::block: return "block";
    case record_type::channel_def: return "channel_def";
    case record_type::stream_def: return "stream_def";
    case record_type::producer_def: return "producer_def";
    case record_type::producer_gone: return "producer_gone";
    case record_type::group_ack: return "group_ack";
    case record_type::group_fail: return "group_fail";
    case record_type::group_handout: return "group_handout";
    case record_type::group_dead: return "group_dead";
    case record_type::trim: return "trim";
    case record_type::subscription_def: return "subscription_def";
    case record_type::subscription_ack: return "subscription_ack";
    case record_type::subscription_gone: return "subscription_gone";
  }
  return "unknown";
}

const char* name_of(finish how) {
  switch (how) {
    case finish::acked: return "acked";
    case finish::settled: return "settled";
    case finish::dropped: return "dropped";
    case finish::expired: return "expired";
    case finish::retention: return "retention";
  }
  return "unknown";
}

const char* name_of(failure why) {
  switch (why) {
    case failure::nacked: return "nacked";
    case failure::lease_expired: return "lease_expired";
    case failure::rejected: return "rejected";
    case failure::attempts: return "attempts";
    case failure::worker_lost: return "worker_lost";
  }
  return "unknown";
}

const char* name_of(level need) {
  switch (need) {
    case level::process: return "process";
    case level::interval: return "interval";
    case level::disk: return "disk";
  }
  return "unknown";
}

// Text, or {"base64": ...} where it is not UTF-8: no byte is lost.
json_object text_of(std::string_view text) {
  if (holdfast::json::is_utf8(text)) return text;
  std::string coded;
  holdfast::json::put_base64(text, coded);
  return {{"base64", coded}};
}

json_object ranges_of(const std::vector<range>& ranges) {
  json_object list = json_object::array();
  for (const range& r : ranges) list.push_back({{"first", r.first}, {"count", r.count}});
  return list;
}

json_object gap_facts(bytes_view body) {
  constexpr std::array<const char*, 3> causes{"none", "torn", "torn_other_boot"};
  if (body.size() < gap_body_bytes) return {};
  const auto cause = load<std::uint64_t>(&body[24]);
  return {{"tail", load<std::uint64_t>(&body[0])},
          {"readable_end", load<std::uint64_t>(&body[8])},
          {"watermark", load<std::uint64_t>(&body[16])},
          {"cause", cause < causes.size() ? causes[cause] : "unknown"}};
}

json_object facts(const channel_def& r) {
  return {{"channel", text_of(r.name)}, {"pattern", text_of(r.pattern)}};
}
json_object facts(const stream_def& r) {
  return {{"stream", r.stream},
          {"stream_epoch", r.epoch},
          {"channel", text_of(r.channel)},
          {"address", text_of(r.address)}};
}
json_object facts(const producer_def& r) {
  return {{"producer", r.number},
          {"producer_epoch", r.epoch},
          {"named", r.named},
          {"id", producer_text(r)},
          {"channel", text_of(std::string_view(r.id).substr(0, r.id.find('\0')))},
          {"nonce", hex(r.nonce)}};
}
json_object facts(const group_ack_record& r) {
  return {{"how", name_of(r.how)}, {"ranges", ranges_of(r.ranges)}};
}
json_object facts(const group_fail_record& r) {
  return {{"why", name_of(r.why)},
          {"failed", r.failed},
          {"due_ns", r.due_real_ns},
          {"reason", text_of(r.reason)},
          {"ranges", ranges_of(r.ranges)}};
}
json_object facts(const group_dead_record& r) {
  return {{"why", name_of(r.why)},
          {"failed", r.failed},
          {"reason", text_of(r.reason)},
          {"ranges", ranges_of(r.ranges)}};
}
json_object facts(const group_handout_record& r) {
  return {{"through", r.through}};
}
json_object facts(const subscription_def_record& r) {
  json_object prefixes = json_object::array();
  for (const std::string& prefix : r.prefixes) prefixes.push_back(text_of(prefix));
  return {{"subscription", r.number},
          {"born", r.born},
          {"since_ns", r.since_ns},
          {"name", text_of(r.name)},
          {"prefixes", std::move(prefixes)}};
}
json_object facts(const subscription_ack_record& r) {
  return {{"subscription", r.number}, {"floor", r.floor},     {"since_ns", r.since_ns},
          {"acked", r.acked},         {"settled", r.settled}, {"passed", r.passed},
          {"dropped", r.dropped}};
}

template <class T>
json_object facts(const std::optional<T>& r) {
  return r ? facts(*r) : json_object{};
}

json_object numbered(const char* key, const auto& number) {
  return number ? json_object{{key, *number}} : json_object{};
}

// Empty where the body cannot be read.
json_object body_facts(record_type type, bytes_view body) {
  switch (type) {
    case record_type::gap: return gap_facts(body);
    case record_type::channel_def: return facts(decode_channel_def(body));
    case record_type::stream_def: return facts(decode_stream_def(body));
    case record_type::producer_def: return facts(decode_producer_def(body));
    case record_type::group_ack: return facts(decode_group_ack(body));
    case record_type::group_fail: return facts(decode_group_fail(body));
    case record_type::group_handout: return facts(decode_group_handout(body));
    case record_type::group_dead: return facts(decode_group_dead(body));
    case record_type::trim: return numbered("below", decode_trim(body));
    case record_type::subscription_def: return facts(decode_subscription_def(body));
    case record_type::subscription_ack: return facts(decode_subscription_ack(body));
    case record_type::subscription_gone:
      return numbered("subscription", decode_subscription_gone(body));
    case record_type::watermark:
    case record_type::closed:
    case record_type::pad:
    case record_type::producer_gone:
    case record_type::block: break;
  }
  return {};
}

json_object flags_of(std::uint8_t flags) {
  constexpr std::array<const char*, 5> known{"batch_more", "batch_end", "relocated", "compressed",
                                             "invisible"};
  json_object list = json_object::array();
  for (std::size_t bit = 0; bit < known.size(); ++bit)
    if ((flags >> bit & 1) != 0) list.push_back(known[bit]);
  return list;
}

void add_block_facts(const record_head& head, const journal_names& names, json_object& to) {
  to["first_sequence"] = head.first_sequence;
  to["count"] = head.count;
  to["level"] = name_of(head.need);
  if (head.props_mask != 0) to["props_mask"] = head.props_mask;
  if (head.body_format != 0) to["body_format"] = head.body_format;
  if (head.producer == 0) return;
  to["producer"] = head.producer;
  to["producer_number"] = head.producer_number;
  if (const producer_def* by = names.producer(head.producer)) to["id"] = producer_text(*by);
}

}  // namespace

std::string hex(bytes_view bytes) {
  std::string text;
  for (const std::byte b : bytes) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

json_object record_facts(const record_view& record, const journal_names& names) {
  const record_head& head = record.head;
  json_object made{{"type", type_name(head.type)}};
  if (made["type"] == "unknown") made["number"] = static_cast<unsigned>(head.type);
  if (head.flags != 0) made["flags"] = flags_of(head.flags);
  if (head.stream != no_stream) {
    made["stream"] = head.stream;
    if (const stream_def* in = names.stream(head.stream)) {
      made["channel"] = text_of(in->channel);
      made["address"] = text_of(in->address);
    }
  }
  if (head.type == record_type::block) {
    add_block_facts(head, names, made);
  } else {
    if (head.type == record_type::producer_gone) made["producer"] = head.producer;
    json_object own = body_facts(head.type, record.body);
    if (!own.empty())
      made.update(own);
    else if (!record.body.empty())
      made["body"] = hex(record.body);
  }
  return made;
}

}  // namespace holdfast::cli
