// The JSON half of line_format.
#include <nlohmann/json.hpp>

#include "devices/cli/line_format.hpp"
#include "plugins/json/text.hpp"

namespace holdfast::cli {
namespace {

using nlohmann::json;

bool read_part(const json& part, std::vector<std::string>& parts) {
  if (part.is_string()) {
    parts.push_back(part.get<std::string>());
    return true;
  }
  if (!part.is_object() || part.size() != 1 || !part.contains("base64")) return false;
  const json& text = part["base64"];
  return text.is_string() &&
         holdfast::json::from_base64(text.get_ref<const std::string&>(), parts.emplace_back());
}

}  // namespace

result<std::vector<std::string>> parse_json_line(std::string_view line) {
  const auto bad = [](const char* why) { return status{errc::invalid, why}; };
  const json object = json::parse(line, nullptr, false);
  if (object.is_discarded()) return bad("the line is not JSON");
  if (!object.is_object() || !object.contains("parts") || !object["parts"].is_array())
    return bad("the line is not an object with an array of parts; write {\"parts\": [\"text\"]}");
  std::vector<std::string> parts;
  for (const json& part : object["parts"])
    if (!read_part(part, parts)) return bad("a part is neither a string nor {\"base64\": \"...\"}");
  if (parts.empty()) return bad("a message has at least one part");
  return parts;
}

void write_json_line(std::span<const std::string_view> parts, const delivery_facts& facts,
                     const decoded_value* value, std::string& out) {
  nlohmann::ordered_json object;
  if (facts.known) {
    if (!facts.queue.empty()) object["queue"] = facts.queue;
    object["sequence"] = facts.sequence;
    if (facts.attempt != 0) object["attempt"] = facts.attempt;
    if (facts.attempt != 0) object["redelivered"] = facts.redelivered;
  }
  auto& array = object["parts"] = nlohmann::ordered_json::array();
  for (const std::string_view part : parts) {
    if (holdfast::json::is_utf8(part)) {
      array.push_back(part);
    } else {
      std::string text;
      holdfast::json::put_base64(part, text);
      array.push_back(nlohmann::ordered_json{{"base64", std::move(text)}});
    }
  }
  if (value != nullptr && !value->error.empty()) object["error"] = value->error;
  out += object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
  if (value == nullptr || !value->error.empty()) return;
  out.back() = ',';  // it is JSON already
  out += "\"value\":" + value->json + "}";
}

}  // namespace holdfast::cli
