#include "journal/backup_note.hpp"

#include <cinttypes>
#include <cstdio>

#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr const char* first_line = "holdfast backup 1\n";

std::string line(const char* name, std::uint64_t value) {
  return std::string(name) + " " + std::to_string(value) + "\n";
}

std::string hex_of(const bytes16_id& id) {
  std::string text;
  for (const std::byte b : id) {
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) >> 4];
    text += "0123456789abcdef"[std::to_integer<unsigned>(b) & 15];
  }
  return text;
}

std::uint64_t sum_of(const std::string& text) {
  return checksum(as_bytes_view(text.data(), text.size()));
}

bool take_id(const char* from, bytes16_id& to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    unsigned value = 0;
    if (std::sscanf(from + 2 * i, "%2x", &value) != 1) return false;
    to[i] = static_cast<std::byte>(value);
  }
  return true;
}

// The numbers by their names; a name of a later version is passed over.
void take_number(const std::string& name, std::uint64_t value, backup_note& to) {
  const std::pair<const char*, std::uint64_t*> known[] = {
      {"epoch", &to.epoch},
      {"checkpoint", &to.checkpoint},
      {"position", &to.position},
      {"end", &to.end},
      {"segments", &to.segments},
      {"time_ns", &to.time_ns},
      {"records", &to.totals.records},
      {"messages", &to.totals.messages},
      {"bytes", &to.totals.bytes},
  };
  for (const auto& [key, field] : known)
    if (name == key) *field = value;
}

bool take_line(const std::string& text, backup_note& to) {
  char name[16] = {};
  char word[40] = {};
  std::uint64_t value = 0;
  std::uint64_t size = 0;
  if (std::sscanf(text.c_str(), "journal %32s", word) == 1) return take_id(word, to.id);
  if (std::sscanf(text.c_str(), "damaged %" SCNu64 " %" SCNu64, &value, &size) == 2) {
    to.totals.damaged.push_back({damage_kind::header, value, size, no_stream, {}});
    return true;
  }
  if (std::sscanf(text.c_str(), "%15s %" SCNu64, name, &value) != 2) return false;
  take_number(name, value, to);
  return true;
}

}  // namespace

std::string write_backup_note(const backup_note& from) {
  std::string text = first_line;
  text += "journal " + hex_of(from.id) + "\n";
  text += line("epoch", from.epoch) + line("checkpoint", from.checkpoint);
  text += line("position", from.position) + line("end", from.end);
  text += line("segments", from.segments) + line("records", from.totals.records);
  text += line("messages", from.totals.messages) + line("bytes", from.totals.bytes);
  text += line("time_ns", from.time_ns);
  for (const damage& row : from.totals.damaged)
    text += "damaged " + std::to_string(row.position) + " " + std::to_string(row.size) + "\n";
  return text + line("sum", sum_of(text));
}

result<backup_note> parse_backup_note(const std::string& text, const std::string& name) {
  const status bad{errc::corrupt,
                   name +
                       ": is damaged or cut short, so it cannot be told whether the backup is "
                       "whole; use another backup"};
  const std::size_t last = text.rfind("sum ");
  std::uint64_t sum = 0;
  if (!text.starts_with(first_line) || last == std::string::npos || text[last - 1] != '\n' ||
      std::sscanf(text.c_str() + last, "sum %" SCNu64, &sum) != 1 ||
      text != text.substr(0, last) + line("sum", sum) || sum_of(text.substr(0, last)) != sum)
    return bad.copy();
  backup_note found;
  for (std::size_t at = std::char_traits<char>::length(first_line); at < last;) {
    const std::size_t end = text.find('\n', at);
    if (!take_line(text.substr(at, end - at), found)) return bad.copy();
    at = end + 1;
  }
  return found;
}

}  // namespace holdfast
