#include "sim/message.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::sim {
namespace {

constexpr std::uint64_t magic = 0x6d69'7364'6c6f'4800ULL;
constexpr std::size_t head_bytes = 24;
constexpr std::uint32_t reply_bit = 0x8000'0000;

struct stream_of_bits {
  std::uint64_t state;
  std::uint64_t next() noexcept {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
  }
};

void fill(std::vector<std::byte>& into, std::size_t from, stream_of_bits& bits) {
  for (std::size_t i = from; i < into.size(); ++i)
    into[i] = static_cast<std::byte>(bits.next() >> 24);
}

void put_key(const message_key& key, std::byte* head) {
  std::memcpy(head, &magic, 8);
  std::memcpy(head + 8, &key.producer, 4);
  std::memcpy(head + 12, &key.life, 4);
  std::memcpy(head + 16, &key.number, 8);
}

std::size_t draw_size(stream_of_bits& bits, std::uint32_t largest) {
  const std::uint64_t kind = bits.next() % 100;
  if (kind < 15) return 0;
  if (kind < 80) return bits.next() % 40;
  if (kind < 98) return bits.next() % std::max<std::uint32_t>(largest / 16, 1);
  return bits.next() % std::max<std::uint32_t>(largest, 1);
}

}  // namespace

std::string to_text(const message_key& key) {
  if (key.producer == 0) return "-";
  const char* kind = is_reply(key) ? "reply to p" : "p";
  return kind + std::to_string(key.producer & ~reply_bit) + "." + std::to_string(key.life) + "#" +
         std::to_string(key.number);
}

message_parts make_message(const message_key& key, std::uint32_t largest) {
  stream_of_bits bits{(key.number + 1) * 0x9e3779b97f4a7c15ULL ^
                      (std::uint64_t{key.producer} << 40) ^ (std::uint64_t{key.life} << 20) ^ 1};
  for (int i = 0; i < 8; ++i) bits.next();
  message_parts made(bits.next() % 4 == 0 ? 2 + bits.next() % 5 : 1);
  for (std::size_t i = 0; i < made.size(); ++i) {
    made[i].resize(draw_size(bits, largest) + (i == 0 ? head_bytes : 0));
    fill(made[i], i == 0 ? head_bytes : 0, bits);
  }
  put_key(key, made[0].data());
  return made;
}

std::vector<std::byte> key_part(const message_key& key) {
  std::vector<std::byte> made(head_bytes);
  put_key(key, made.data());
  return made;
}

std::optional<message_key> read_key(const message_parts& message) {
  if (message.empty() || message[0].size() < head_bytes) return std::nullopt;
  const std::byte* head = message[0].data();
  if (std::memcmp(head, &magic, 8) != 0) return std::nullopt;
  message_key key;
  std::memcpy(&key.producer, head + 8, 4);
  std::memcpy(&key.life, head + 12, 4);
  std::memcpy(&key.number, head + 16, 8);
  return key;
}

std::string topic_of(std::uint32_t producer) {
  std::string topic(topic_bytes, '\0');
  std::memcpy(topic.data(), &magic, 8);
  topic[8] = static_cast<char>(producer & 0xff);
  return topic;
}

message_key reply_to(message_key request) {
  request.producer |= reply_bit;
  return request;
}

bool is_reply(const message_key& key) {
  return (key.producer & reply_bit) != 0;
}

message_key request_of(message_key request_or_reply) {
  request_or_reply.producer &= ~reply_bit;
  return request_or_reply;
}

}  // namespace holdfast::sim
