#include <nlohmann/json.hpp>

#include "devices/cli/keeping_print.hpp"

namespace holdfast::cli {
namespace {

using json_object = nlohmann::ordered_json;

std::string line_of(const json_object& object) {
  return object.dump(-1, ' ', false, json_object::error_handler_t::replace) + "\n";
}

std::string range_of(std::uint64_t from, std::uint64_t size) {
  return std::to_string(from) + " to " + std::to_string(from + size);
}

json_object facts_of(const damage& row) {
  json_object object{{"from", row.position}, {"to", row.position + row.size}};
  if (row.stream != no_stream) object["stream"] = row.stream;
  if (row.messages.count != 0) object["first_sequence"] = row.messages.first;
  if (row.messages.count != 0) object["count"] = row.messages.count;
  return object;
}

std::string words_of(const damage& row) {
  std::string text = "positions " + range_of(row.position, row.size);
  if (row.messages.count == 0) return text;
  return text + " (stream " + std::to_string(row.stream) + ", messages " +
         range_of(row.messages.first, row.messages.count - 1) + ")";
}

json_object json_of(const backup_outcome& made, const std::string& target) {
  const backup_note& note = made.note;
  json_object object{{"target", target}, {"position", note.position}, {"epoch", note.epoch}};
  if (note.checkpoint != 0) object["checkpoint"] = note.checkpoint;
  object["messages"] = note.totals.messages;
  object["records"] = note.totals.records;
  object["bytes"] = note.totals.bytes;
  object["segments"] = note.segments;
  object["live"] = made.live;
  object["not_included_bytes"] = made.beyond;
  object["damaged"] = json_object::array();
  for (const damage& row : note.totals.damaged) object["damaged"].push_back(facts_of(row));
  return object;
}

}  // namespace

void print_copy(const backup_outcome& made, const std::string& target, bool json,
                std::string& out) {
  if (json) {
    out += line_of(json_of(made, target));
    return;
  }
  const backup_note& note = made.note;
  out += target + ": everything up to position " + std::to_string(note.position) + ": " +
         std::to_string(note.totals.messages) + " messages in " +
         std::to_string(note.totals.records) + " records, " + std::to_string(note.totals.bytes) +
         " bytes, " + std::to_string(note.segments) + " segments\n";
  if (made.beyond != 0)
    out += std::to_string(made.beyond) +
           " bytes above that position were not proven durable and are not included\n";
  for (const damage& row : note.totals.damaged)
    out += "damaged in the source, copied as it is: " + words_of(row) + "\n";
}

void print_steps(const repair_plan& plan, bool done, bool json, std::string& out) {
  for (const repair_step& step : plan.steps) {
    const bool removes = step.what == repair_step::kind::remove;
    json_object object{{"file", step.file}, {"change", removes ? "remove" : "rewrite"}};
    if (!removes) object["offset"] = step.offset;
    if (!removes) object["size"] = step.bytes.size();
    object["why"] = step.why;
    object["done"] = done;
    if (json) {
      out += line_of(object);
      continue;
    }
    out += std::string(done ? "" : "would ") + (removes ? "remove" : "rewrite") +
           (done ? (removes ? "d " : " done: ") : " ") + step.file;
    if (!removes) out += ", bytes " + range_of(step.offset, step.bytes.size());
    out += ": " + step.why + "\n";
  }
}

void print_lasting(const repair_plan& plan, bool json, std::string& out) {
  for (const lasting_damage& row : plan.damaged) {
    json_object object{{"left", "damaged"}, {"file", row.file}, {"offset", row.offset}};
    object.update(facts_of(row.what));
    if (json)
      out += line_of(object);
    else
      out += "left as it is: " + row.file + ", offsets " + range_of(row.offset, row.what.size) +
             ", " + words_of(row.what) +
             ": damaged, and nothing holds it twice; devices pass over it\n";
  }
  for (const std::string& text : plan.unsolved)
    out += json ? line_of({{"left", "unsolved"}, {"why", text}}) : "left as it is: " + text + "\n";
  if (plan.torn_bytes == 0) return;
  if (json)
    out += line_of({{"torn_bytes", plan.torn_bytes}});
  else
    out += "the tail is torn: the next opening of a device cuts off " +
           std::to_string(plan.torn_bytes) + " bytes; that is no damage\n";
}

}  // namespace holdfast::cli
