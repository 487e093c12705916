// schema: reads a YAML map by a table of fields, and complains about everything at once with its
// place.
//
// Contract: internal to devices/config. Fields write straight into the caller's variables, which
// must outlive the call; a bad value leaves its variable as it was. Unknown and repeated keys are
// complaints. Aliases are followed only where the schema looks, so that they cannot blow up.
#pragma once

#include <yaml-cpp/yaml.h>

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "devices/config/config.hpp"
#include "devices/config/nearest.hpp"

namespace holdfast {

class complaints {
 public:
  void add(const YAML::Mark& at, std::string text);
  std::vector<config_error> take();  ///< in the order of their places

 private:
  std::vector<config_error> errors_;
};

using node_reader = std::function<void(const YAML::Node&)>;
struct field {
  std::string_view key;
  node_reader read;
  bool required = false;
};

/// `what` names the map in errors: "a channel".
void read_map(const YAML::Node& node, std::string_view what, const std::vector<field>& fields,
              complaints& errors);
/// Calls `read` for each element; with `one_is_enough` a value that is no list counts as its only
/// element.
void read_list(const YAML::Node& node, std::string_view key, bool one_is_enough,
               const node_reader& read, complaints& errors);
/// The text of a scalar; a complaint and nullptr when it is a map, a list or empty.
const std::string* read_scalar(const YAML::Node& node, std::string_view key, complaints& errors);

// Makers of fields.
field text_field(std::string_view key, std::string& out, complaints& errors);
/// A name: letters, digits, '_', '-' and '.', 1 to 64 of them.
field name_field(std::string_view key, std::string& out, complaints& errors);
field bytes_field(std::string_view key, std::uint64_t& out, std::uint64_t min, std::uint64_t max,
                  complaints& errors);
field duration_field(std::string_view key, std::uint64_t& out_ns, complaints& errors);
field duration_ms_field(std::string_view key, std::uint32_t& out_ms, complaints& errors);
field number_field(std::string_view key, std::uint32_t& out, std::uint32_t min, std::uint32_t max,
                   complaints& errors);
/// Any whole number, 0 included.
field count_field(std::string_view key, std::uint64_t& out, complaints& errors);
field switch_field(std::string_view key, bool& out, complaints& errors);

template <class T>
field choice_field(std::string_view key, T& out,
                   std::vector<std::pair<std::string_view, T>> choices, complaints& errors) {
  return {key, [key, &out, all = std::move(choices), &errors](const YAML::Node& node) {
            const std::string* text = read_scalar(node, key, errors);
            if (text == nullptr) return;
            std::vector<std::string_view> names;
            for (const auto& [name, value] : all) {
              if (name == *text) {
                out = value;
                return;
              }
              names.push_back(name);
            }
            errors.add(node.Mark(), std::string(key) + ": '" + *text + "' is none of its values" +
                                        suggestion(*text, names));
          }};
}

}  // namespace holdfast
