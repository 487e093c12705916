// journal_print: each fact is gathered once as an object, and written as JSON or as words.
#include <nlohmann/json.hpp>

#include "devices/cli/journal_print.hpp"
#include "devices/cli/line_format.hpp"
#include "devices/cli/record_json.hpp"
#include "devices/export/jsonl_sink.hpp"
#include "patterns/block.hpp"

namespace holdfast::cli {
namespace {

using json_object = nlohmann::ordered_json;

// "first_sequence 1, count 50": an object as words.
std::string words(const json_object& object) {
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (!text.empty()) text += ", ";
    text += key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return text;
}

void put(const json_object& object, bool json, std::string& out) {
  constexpr auto replace = json_object::error_handler_t::replace;
  out += (json ? object.dump(-1, ' ', false, replace) : words(object)) + "\n";
}

// A number without a message; its bytes may say why.
void put_void(std::uint64_t sequence, const entry& one, bool json, std::string& out) {
  if (!json) return;
  out += "{\"sequence\":" + std::to_string(sequence) + ",\"void\":";
  put_bytes(one.data, out);
  out += "}\n";
}

// To the object of a message of request-reply that was just written: what its first part says.
void add_heads(const record_view& block, const journal_names& names, const entry& one,
               std::string& out) {
  const stream_def* in = names.stream(block.head.stream);
  if (in == nullptr || names.pattern(in->channel) != "reqrep") return;
  std::optional<request_head> request;
  std::optional<reply_head> reply;
  decode_heads(in->address, one.part(0), request, reply);
  out.resize(out.size() - std::string_view("}\n").size());
  put_heads(request, reply, out);
  out += "}\n";
}

// Every message of a block as a line of its own, indented; sequences count on from the block's.
void put_messages(const record_view& block, const journal_names& names, const line_format& format,
                  std::string& out) {
  entry_walker walker(block.body);
  entry one;
  std::vector<std::string_view> parts;
  for (std::uint64_t sequence = block.head.first_sequence; walker.next(one); ++sequence) {
    if (one.voided()) {
      put_void(sequence, one, format.json, out);
      continue;
    }
    parts.clear();
    for_each_part(one, [&](bytes_view part) {
      parts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
    });
    if (!format.json) out += "  " + std::to_string(sequence) + ": ";
    write_line(format, parts, {.known = format.json, .queue = {}, .sequence = sequence}, out);
    if (format.json) add_heads(block, names, one, out);
  }
}

void put_damage(const journal_info& info, const damage& bad, const char* verdict, bool json,
                std::string& out) {
  json_object object{{"verdict", verdict}};
  for (const segment_info& s : info.segments)
    if (s.in_log && s.header.base <= bad.position && bad.position - s.header.base < s.header.size)
      object["segment"] = s.name;
  object["from"] = bad.position;
  object["to"] = bad.position + bad.size;
  if (bad.stream != no_stream) object["stream"] = bad.stream;
  if (bad.messages.count != 0) object["first_sequence"] = bad.messages.first;
  if (bad.messages.count != 0) object["count"] = bad.messages.count;
  put(object, json, out);
}

}  // namespace

void print_segments(const journal_info& info, bool json, std::string& out) {
  for (const segment_info& segment : info.segments) {
    const bool newest = &segment == &info.segments.back();
    json_object object{{"segment", segment.name}, {"bytes", segment.header.size}};
    object["state"] = newest ? "active" : segment.in_log ? "live" : "free";
    if (segment.in_log) {
      object["epoch"] = segment.header.epoch;
      object["first_position"] = segment.header.base + records_at;
      if (segment.end != 0) object["end_position"] = segment.end;
    }
    put(object, json, out);
  }
  for (const std::string& name : info.spares)
    put({{"segment", name}, {"state", "spare"}}, json, out);
  for (const std::string& name : info.unused)
    put({{"segment", name}, {"state", "unused"}}, json, out);
  for (const std::string& name : info.unreadable)
    put({{"segment", name}, {"state", "unreadable"}}, json, out);
}

void print_info(const journal_info& info, const verify_summary& tail, bool json, std::string& out) {
  json_object object{{"journal", hex(info.id)}, {"format", format_version}, {"epoch", info.epoch}};
  object["segments"] = tail.segments;
  if (const checkpoint_info* newest = info.newest_checkpoint()) {
    object["checkpoint"] = newest->number;
    object["checkpoint_position"] = newest->position;
  }
  object["tail"] = tail.tail;
  object["watermark"] = tail.watermark;
  object["records_since_checkpoint"] = tail.records;
  object["messages_since_checkpoint"] = tail.messages;
  put(object, json, out);
}

void print_record(const seen_record& seen, const journal_names& names, const line_format& format,
                  std::string& out) {
  json_object object{{"position", seen.record.position}};
  object.update(record_facts(seen.record, names));
  object["bytes"] = seen.size;
  object["time_ns"] = seen.record.head.time_ns;
  put(object, format.json, out);
  if (seen.record.head.type == record_type::block) put_messages(seen.record, names, format, out);
}

void print_followed(const followed& what, bool json, std::string& out) {
  json_object object;
  switch (what.what) {
    case followed::kind::trimmed: object["notice"] = "trimmed"; break;
    case followed::kind::damaged: object["notice"] = "damaged"; break;
    case followed::kind::cut: object["notice"] = "cut"; break;
    case followed::kind::record:
    case followed::kind::idle: return;
  }
  object["from"] = what.from;
  object["to"] = what.to;
  if (what.rot.stream != no_stream) object["stream"] = what.rot.stream;
  if (what.rot.messages.count != 0) object["first_sequence"] = what.rot.messages.first;
  if (what.rot.messages.count != 0) object["count"] = what.rot.messages.count;
  put(object, json, out);
}

void print_verdict(const journal_info& info, const verify_summary& sum, bool json,
                   std::string& out) {
  for (const damage& bad : sum.damaged) put_damage(info, bad, "corrupt", json, out);
  for (const damage& bad : sum.torn) put_damage(info, bad, "torn or being written", json, out);
  for (const std::string& name : info.unused)
    put({{"verdict", "unused"}, {"segment", name}}, json, out);
  for (const std::string& problem : sum.problems)
    put({{"verdict", "corrupt"}, {"problem", problem}}, json, out);
  put({{"records", sum.records},
       {"blocks", sum.blocks},
       {"messages", sum.messages},
       {"bytes", sum.bytes},
       {"corrupt", sum.damaged.size() + sum.problems.size()}},
      json, out);
}

}  // namespace holdfast::cli
