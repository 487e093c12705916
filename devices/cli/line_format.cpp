#include "devices/cli/line_format.hpp"

#include <charconv>

#include "devices/serializers.hpp"

namespace holdfast::cli {
namespace {

// Takes the parts that became a value off `parts`.
decoded_value decoded(message_decoder& by, std::span<const std::string_view>& parts) {
  decoded_value made;
  std::vector<bytes_view> message;
  for (const std::string_view part : parts)
    message.push_back(as_bytes_view(part.data(), part.size()));
  if (status told = by.value(message, made.json); !told)
    made.error = told.text();
  else
    parts = parts.first(parts.size() - by.own_parts(parts.size()));
  return made;
}

void write_parts(std::string_view between, std::span<const std::string_view> parts,
                 std::string& out) {
  for (std::size_t i = 0; i < parts.size(); ++i) out.append(i ? between : "").append(parts[i]);
}

}  // namespace

result<std::string> unescape(std::string_view text) {
  std::string made;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\\') {
      made += text[at];
      continue;
    }
    const char what = at + 1 < text.size() ? text[at + 1] : '\0';
    unsigned value = 0;
    const char* hex = text.data() + at + 2;
    if (what == 't' || what == 'n' || what == '0' || what == '\\') {
      made += what == 't' ? '\t' : what == 'n' ? '\n' : what == '0' ? '\0' : '\\';
      at += 1;
    } else if (what == 'x' && at + 3 < text.size() &&
               std::from_chars(hex, hex + 2, value, 16).ptr == hex + 2) {
      made += static_cast<char>(value);
      at += 3;
    } else {
      return status{errc::invalid, "'" + std::string(text) +
                                       "': after a backslash write t, n, 0, xHH or a backslash"};
    }
  }
  return made;
}

result<std::vector<std::string>> parse_line(const line_format& format, std::string_view line) {
  if (format.json) return parse_json_line(line);
  std::vector<std::string> parts;
  if (format.separator.empty()) {
    parts.emplace_back(line);
    return parts;
  }
  for (;;) {
    const std::size_t end = line.find(format.separator);
    parts.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return parts;
    line.remove_prefix(end + format.separator.size());
  }
}

void write_line(const line_format& format, std::span<const std::string_view> parts,
                const delivery_facts& facts, std::string& out) {
  decoded_value value;
  if (format.decode != nullptr) value = decoded(*format.decode, parts);
  if (format.json) {
    write_json_line(parts, facts, format.decode != nullptr ? &value : nullptr, out);
  } else {
    const std::string_view between =
        format.separator.empty() ? std::string_view("\t") : format.separator;
    write_parts(between, parts, out);
    if (format.decode != nullptr) {
      if (!parts.empty()) out += between;
      out += value.error.empty() ? value.json : "(" + value.error + ")";
    }
  }
  out += '\n';
}

}  // namespace holdfast::cli
