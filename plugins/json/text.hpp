// text: the two encodings inside JSON strings: escaped UTF-8, and base64 (RFC 4648, padded).
#pragma once

#include <string>
#include <string_view>

namespace holdfast::json {

/// The mark an object of json.hpp begins with, or none.
enum class mark : unsigned char { none, base64, extension, real, text, map };
inline mark mark_of(std::string_view key) noexcept {
  if (key == "base64") return mark::base64;
  if (key == "ext") return mark::extension;
  if (key == "float") return mark::real;
  if (key == "text") return mark::text;
  return key == "map" ? mark::map : mark::none;
}

bool is_utf8(std::string_view text) noexcept;
/// A JSON string; `text` is UTF-8.
void put_quoted(std::string_view text, std::string& out);
void put_base64(std::string_view bytes, std::string& out);
/// False where it is no base64.
bool from_base64(std::string_view text, std::string& bytes);

}  // namespace holdfast::json
