// plugin_print: each fact is gathered once as an object, and written as JSON or as words.
#include <nlohmann/json.hpp>

#include "devices/cli/plugin_print.hpp"

namespace holdfast::cli {
namespace {

using json_object = nlohmann::ordered_json;

void put(const json_object& object, bool json, std::string& out) {
  if (json) {
    out += object.dump(-1, ' ', false, json_object::error_handler_t::replace) + "\n";
    return;
  }
  std::string text;
  for (const auto& [key, value] : object.items()) {
    if (!text.empty()) text += ", ";
    text += key + " " + (value.is_string() ? value.get<std::string>() : value.dump());
  }
  out += text + "\n";
}

std::string text_of(const char* text) {
  return text != nullptr ? text : "";
}

std::string abilities(const plugins::serializer_type& type) {
  constexpr std::pair<holdfast_ability, const char*> names[] = {
      {HOLDFAST_CAN_DECODE, "decode"},     {HOLDFAST_CAN_ENCODE, "encode"},
      {HOLDFAST_CAN_VALIDATE, "validate"}, {HOLDFAST_CAN_PEEK, "peek"},
      {HOLDFAST_HAS_SCHEMA, "schema"},     {HOLDFAST_WHOLE_MESSAGE, "whole_message"}};
  std::string all;
  for (const auto& [ability, name] : names)
    if (type.can(ability)) all += (all.empty() ? "" : " ") + std::string(name);
  return all;
}

}  // namespace

void print_listed(const plugins::registry::listed& one, bool json, std::string& out) {
  json_object object{{"serializer", one.name}, {"origin", one.origin}};
  if (!one.usable) object["not_usable"] = one.usable.text();
  put(object, json, out);
}

void print_checked(const plugins::serializer_type& type, const plugin_verdict& verdict, bool json,
                   std::string& out) {
  put({{"serializer", type.name()},
       {"origin", type.origin},
       {"version", text_of(type.table.version)},
       {"media_type", text_of(type.table.media_type)},
       {"interface", std::to_string(type.table.major) + "." + std::to_string(type.table.minor)},
       {"can", abilities(type)},
       {"round_trips", verdict.round_trips},
       {"declined", verdict.declined},
       {"garbage_answered", verdict.garbage}},
      json, out);
}

}  // namespace holdfast::cli
