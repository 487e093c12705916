#include "devices/zmtp/wire.hpp"

#include <algorithm>

namespace holdfast::zmtp {
namespace {

constexpr std::size_t revision_at = 10, mechanism_at = 12, mechanism_bytes = 20;
constexpr std::byte major{3}, minor{0}, command_flag{4};
constexpr std::size_t ttl_bytes = 2, context_bytes_max = 16, error_bytes_max = 255 - 7;

std::string_view text_of(bytes_view from) noexcept {
  return {reinterpret_cast<const char*>(from.data()), from.size()};
}

void append(std::vector<std::byte>& to, std::string_view text) {
  const auto* bytes = reinterpret_cast<const std::byte*>(text.data());
  to.insert(to.end(), bytes, bytes + text.size());
}

// A short command frame: its size is filled in by framed().
std::vector<std::byte> begin_command(std::string_view name) {
  std::vector<std::byte> made{command_flag, std::byte{0}, static_cast<std::byte>(name.size())};
  append(made, name);
  return made;
}
std::vector<std::byte> framed(std::vector<std::byte> made) {
  made[1] = static_cast<std::byte>(made.size() - 2);
  return made;
}

}  // namespace

version version_of(bytes_view greeting) noexcept {
  if (!greeting.empty() && greeting[0] != std::byte{0xff}) return version::unsupported;
  if (greeting.size() >= signature_bytes && (greeting[9] & std::byte{1}) == std::byte{0})
    return version::unsupported;
  if (greeting.size() <= revision_at) return version::unknown;
  const auto revision = std::to_integer<unsigned>(greeting[revision_at]);
  if (revision == 0) return version::unsupported;
  return revision < 3 ? version::v2 : version::v3;
}

std::string_view mechanism_of(bytes_view greeting) noexcept {
  const std::string_view field = text_of(greeting.subspan(mechanism_at, mechanism_bytes));
  return field.substr(0, field.find('\0'));
}

std::vector<std::byte> signature() {
  std::vector<std::byte> made(signature_bytes);
  made.front() = std::byte{0xff};
  made.back() = std::byte{0x7f};
  return made;
}

std::vector<std::byte> revision() {
  return {major};
}

std::vector<std::byte> rest_of_greeting(version spoken, const role& as) {
  if (spoken == version::v2) return {as.own_number, std::byte{0}, std::byte{0}};  // no identity
  std::vector<std::byte> made{minor};
  append(made, "NULL");
  made.resize(greeting_bytes - signature_bytes - 1);
  return made;
}

std::optional<command> command_in(bytes_view body) noexcept {
  if (body.empty()) return std::nullopt;
  const auto size = std::to_integer<std::size_t>(body[0]);
  if (size == 0 || size + 1 > body.size()) return std::nullopt;
  return command{text_of(body.subspan(1, size)), body.subspan(1 + size)};
}

std::string_view property(bytes_view ready, std::string_view name) noexcept {
  while (!ready.empty()) {
    const auto size = std::to_integer<std::size_t>(ready[0]);
    if (ready.size() < 1 + size + 4) return {};
    const std::string_view key = text_of(ready.subspan(1, size));
    const std::uint64_t value = big_endian(ready.subspan(1 + size, 4));
    ready = ready.subspan(1 + size + 4);
    if (ready.size() < value) return {};
    const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
    if (std::equal(key.begin(), key.end(), name.begin(), name.end(), same))
      return text_of(ready.first(value));
    ready = ready.subspan(value);
  }
  return {};
}

std::vector<std::byte> ready_command(std::string_view socket_type) {
  constexpr std::string_view key = "Socket-Type";
  std::vector<std::byte> made = begin_command("READY");
  made.push_back(static_cast<std::byte>(key.size()));
  append(made, key);
  made.insert(made.end(), 3, std::byte{0});
  made.push_back(static_cast<std::byte>(socket_type.size()));
  append(made, socket_type);
  return framed(std::move(made));
}

std::vector<std::byte> error_command(std::string_view reason) {
  reason = reason.substr(0, error_bytes_max);
  std::vector<std::byte> made = begin_command("ERROR");
  made.push_back(static_cast<std::byte>(reason.size()));
  append(made, reason);
  return framed(std::move(made));
}

std::vector<std::byte> pong_command(bytes_view ping) {
  std::vector<std::byte> made = begin_command("PONG");
  const bytes_view context = ping.subspan(std::min(ttl_bytes, ping.size()));
  const bytes_view kept = context.first(std::min(context_bytes_max, context.size()));
  made.insert(made.end(), kept.begin(), kept.end());
  return framed(std::move(made));
}

}  // namespace holdfast::zmtp
