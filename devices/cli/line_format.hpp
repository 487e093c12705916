// line_format: messages as lines of text, for push and pull.
//
// Contract: a line has no line break. Plain: the line is one part; with a separator it is cut into
// parts there. JSON: one object a line, {"parts": [...]}, each part a string or, where it is not
// UTF-8, {"base64": "..."}; pull adds what it knows of the delivery. Reading back what was written
// gives the same parts, but for bytes a plain line cannot carry.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/status.hpp"

namespace holdfast {
class message_decoder;
}

namespace holdfast::cli {

struct line_format {
  bool json = false;
  std::string separator;  ///< empty: push sends one part a line; pull writes a tab between parts
  /// Written messages end with their value (its JSON) instead of the parts it was decoded from;
  /// where that fails all parts are written, and why. Not owned.
  message_decoder* decode = nullptr;
};

/// What --decode knows of a message.
struct decoded_value {
  std::string json;   ///< the value on one line
  std::string error;  ///< why there is none
};

/// What pull tells beside the parts, in JSON only.
struct delivery_facts {
  bool known = false;  ///< false on plain sockets
  std::string_view queue;
  std::uint64_t sequence = 0;
  std::uint32_t attempt = 0;  ///< 0: no delivery, but a stored message
  bool redelivered = false;
};

/// "\\t", "\\n", "\\0", "\\\\" and "\\xHH" as the bytes they stand for.
result<std::string> unescape(std::string_view text);

result<std::vector<std::string>> parse_line(const line_format& format, std::string_view line);
void write_line(const line_format& format, std::span<const std::string_view> parts,
                const delivery_facts& facts, std::string& out);

// The JSON half (message_json.cpp).
result<std::vector<std::string>> parse_json_line(std::string_view line);
/// `value`: null without --decode.
void write_json_line(std::span<const std::string_view> parts, const delivery_facts& facts,
                     const decoded_value* value, std::string& out);

}  // namespace holdfast::cli
