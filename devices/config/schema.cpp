#include "devices/config/schema.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "base/clock.hpp"
#include "devices/config/units.hpp"

namespace holdfast {
namespace {

std::string quoted(std::string_view text) {
  return "'" + std::string(text) + "'";
}

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-' || c == '.';
}

using parser = result<std::uint64_t> (*)(std::string_view);

// Reads one quantity and hands it on when it is within its limits.
template <class Store>
field quantity_field(std::string_view key, parser parse, std::uint64_t min, std::uint64_t max,
                     complaints& errors, Store store) {
  return {key, [=, &errors](const YAML::Node& node) {
            const std::string* text = read_scalar(node, key, errors);
            if (text == nullptr) return;
            auto value = parse(*text);
            if (!value) {
              errors.add(node.Mark(), std::string(key) + ": " + std::string(value.text()));
            } else if (*value < min || *value > max) {
              errors.add(node.Mark(), std::string(key) + ": " + *text + " is out of bounds (" +
                                          std::to_string(min) + " to " + std::to_string(max) + ")");
            } else {
              store(*value);
            }
          }};
}

}  // namespace

void complaints::add(const YAML::Mark& at, std::string text) {
  const bool known = !at.is_null();
  errors_.push_back({known ? at.line + 1 : 1, known ? at.column + 1 : 1, std::move(text)});
}

std::vector<config_error> complaints::take() {
  std::stable_sort(errors_.begin(), errors_.end(), [](const auto& a, const auto& b) {
    return std::pair(a.line, a.column) < std::pair(b.line, b.column);
  });
  return std::exchange(errors_, {});
}

void read_map(const YAML::Node& node, std::string_view what, const std::vector<field>& fields,
              complaints& errors) {
  if (!node.IsMap()) {
    errors.add(node.Mark(), std::string(what) + " must be a map (key: value)");
    return;
  }
  std::vector<std::string_view> keys;
  keys.reserve(fields.size());
  for (const field& f : fields) keys.push_back(f.key);
  std::set<std::string, std::less<>> seen;
  for (const auto& entry : node) {
    const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "";
    const auto known =
        std::find_if(fields.begin(), fields.end(), [&](const field& f) { return f.key == key; });
    if (known == fields.end())
      errors.add(entry.first.Mark(),
                 std::string(what) + " has no key " + quoted(key) + suggestion(key, keys));
    else if (!seen.insert(key).second)
      errors.add(entry.first.Mark(), "key " + quoted(key) + " stands twice");
    else
      known->read(entry.second);
  }
  for (const field& f : fields)
    if (f.required && !seen.contains(f.key))
      errors.add(node.Mark(), std::string(what) + " needs the key " + quoted(f.key));
}

void read_list(const YAML::Node& node, std::string_view key, bool one_is_enough,
               const node_reader& read, complaints& errors) {
  if (node.IsSequence()) {
    for (const auto& element : node) read(element);
  } else if (one_is_enough && (node.IsScalar() || node.IsMap())) {
    read(node);
  } else {
    errors.add(node.Mark(), std::string(key) + " must be a list");
  }
}

const std::string* read_scalar(const YAML::Node& node, std::string_view key, complaints& errors) {
  if (node.IsScalar() && !node.Scalar().empty()) return &node.Scalar();
  errors.add(node.Mark(), std::string(key) + " needs a value");
  return nullptr;
}

field text_field(std::string_view key, std::string& out, complaints& errors) {
  return {key, [key, &out, &errors](const YAML::Node& node) {
            if (const std::string* text = read_scalar(node, key, errors)) out = *text;
          }};
}

field name_field(std::string_view key, std::string& out, complaints& errors) {
  return {key, [key, &out, &errors](const YAML::Node& node) {
            const std::string* text = read_scalar(node, key, errors);
            if (text == nullptr) return;
            if (text->size() <= 64 && std::all_of(text->begin(), text->end(), name_char))
              out = *text;
            else
              errors.add(node.Mark(), std::string(key) + ": " + quoted(*text) +
                                          " is not a name: write up to 64 letters, digits, "
                                          "'_', '-' or '.'");
          }};
}

field bytes_field(std::string_view key, std::uint64_t& out, std::uint64_t min, std::uint64_t max,
                  complaints& errors) {
  return quantity_field(key, parse_bytes, min, max, errors,
                        [&out](std::uint64_t value) { out = value; });
}

field duration_field(std::string_view key, std::uint64_t& out_ns, complaints& errors) {
  return quantity_field(key, parse_duration, 0, std::uint64_t{1} << 60, errors,
                        [&out_ns](std::uint64_t value) { out_ns = value; });
}

field duration_ms_field(std::string_view key, std::uint32_t& out_ms, complaints& errors) {
  return quantity_field(key, parse_duration, 0, 86'400 * second_ns, errors,
                        [&out_ms](std::uint64_t value) {
                          // Rounded up: a short time must not become "never".
                          out_ms = static_cast<std::uint32_t>((value + ms_ns - 1) / ms_ns);
                        });
}

field number_field(std::string_view key, std::uint32_t& out, std::uint32_t min, std::uint32_t max,
                   complaints& errors) {
  return quantity_field(key, parse_number, min, max, errors,
                        [&out](std::uint64_t value) { out = static_cast<std::uint32_t>(value); });
}

field count_field(std::string_view key, std::uint64_t& out, complaints& errors) {
  return quantity_field(key, parse_number, 0, std::numeric_limits<std::uint64_t>::max(), errors,
                        [&out](std::uint64_t value) { out = value; });
}

field switch_field(std::string_view key, bool& out, complaints& errors) {
  return choice_field<bool>(
      key, out, {{"on", true}, {"off", false}, {"true", true}, {"false", false}}, errors);
}

}  // namespace holdfast
