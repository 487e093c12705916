// answer_fields: fields of what a peer answered to a question for its status. It may be another
// version, or no device at all: whatever is not there, or is of another kind, reads as nothing.
//
// Contract: pure; for the JSON halves of `status` and `doctor`.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

namespace holdfast::cli {

using answer_json = nlohmann::ordered_json;

/// The field, or an empty value of this kind.
inline const answer_json& field_of(const answer_json& from, const char* key,
                                   const answer_json& empty) {
  const auto found = from.is_object() ? from.find(key) : from.end();
  return found != from.end() && found->type() == empty.type() ? *found : empty;
}

inline std::uint64_t figure(const answer_json& from, const char* key) {
  static const answer_json none = std::uint64_t{0};
  return field_of(from, key, none).get<std::uint64_t>();
}
inline std::string word(const answer_json& from, const char* key) {
  static const answer_json none = "";
  return field_of(from, key, none).get<std::string>();
}
inline bool truth(const answer_json& from, const char* key) {
  static const answer_json none = false;
  return field_of(from, key, none).get<bool>();
}
inline const answer_json& list(const answer_json& from, const char* key) {
  static const answer_json none = answer_json::array();
  return field_of(from, key, none);
}
inline const answer_json& object(const answer_json& from, const char* key) {
  static const answer_json none = answer_json::object();
  return field_of(from, key, none);
}

}  // namespace holdfast::cli
