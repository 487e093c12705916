// message: what simulated applications send. A message says who made it, and everything else in it
// follows from that, so that whoever receives it can tell every byte that should be there.
//
// Contract: shares no code with the product; pure.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace holdfast::sim {

/// The n-th message of one life of an application. producer 0 = no message.
struct message_key {
  std::uint32_t producer = 0;  ///< the application
  std::uint32_t life = 0;      ///< its run; 0 where every run sends the same under one number
  std::uint64_t number = 0;
  friend auto operator<=>(const message_key&, const message_key&) = default;
};
std::string to_text(const message_key& key);

using message_parts = std::vector<std::vector<std::byte>>;

/// The one content this key has: 1 to 6 parts, some of them empty, up to `largest` bytes or so.
message_parts make_message(const message_key& key, std::uint32_t largest);

/// What a key looks like in a message.
std::vector<std::byte> key_part(const message_key& key);

/// Who a message claims to be from; empty if it was not made here.
std::optional<message_key> read_key(const message_parts& message);

/// A message's topic is the beginning of its first part: the magic and the low byte of its maker.
inline constexpr std::size_t topic_bytes = 9;
std::string topic_of(std::uint32_t producer);

/// Of the one reply to a request.
message_key reply_to(message_key request);
bool is_reply(const message_key& key);
/// The same for a reply and its request.
message_key request_of(message_key request_or_reply);
/// Applications that are somebody new in every run count their runs here.
inline constexpr std::uint32_t lives_factor = 1024;

}  // namespace holdfast::sim
