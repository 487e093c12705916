// load_message: the messages of the load programs. Each says who sent it and which it is; every
// other byte follows from that, so the receiver checks it without having seen it sent.
#pragma once

#include <cstdint>
#include <cstring>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "base/coding.hpp"
#include "base/random.hpp"
#include "tests/sockets/load_log.hpp"

namespace load {

struct head {
  std::uint32_t magic = 0x4c664831, sender = 0;
  std::uint64_t number = 0, salt = 0;
  std::uint32_t size = 0, zero = 0;
};
static_assert(sizeof(head) == 32);

constexpr std::uint64_t topics = 3;

using parts = std::vector<std::vector<std::byte>>;

inline std::vector<std::byte> content(const head& of) {
  std::vector<std::byte> bytes(of.size);
  std::memcpy(bytes.data(), &of, sizeof of);
  holdfast::random_source source(of.salt ^ std::uint64_t{of.sender} << 40 ^ of.number);
  std::size_t at = sizeof of;
  for (; at + 8 <= bytes.size(); at += 8) holdfast::store(bytes.data() + at, source.next());
  for (; at < bytes.size(); ++at) bytes[at] = std::byte{0x5a};
  return bytes;
}

// Every seventh message has three parts, the middle one empty.
inline parts split(std::uint64_t number, std::vector<std::byte> bytes) {
  if (number % 7 != 0) return {std::move(bytes)};
  const auto middle = bytes.begin() + static_cast<std::ptrdiff_t>(bytes.size() / 2);
  return {{bytes.begin(), middle}, {}, {middle, bytes.end()}};
}

inline parts make(std::uint32_t sender, std::uint64_t number, std::uint64_t salt,
                  std::uint32_t size, std::uint32_t spread) {
  holdfast::random_source source(salt + number);
  head made;
  made.sender = sender;
  made.number = number;
  made.salt = salt;
  made.size = std::max<std::uint32_t>(sizeof(head), size) +
              (spread == 0 ? 0 : static_cast<std::uint32_t>(source.below(spread)));
  return split(number, content(made));
}

struct verdict {
  std::uint32_t sender = 0;
  std::uint64_t number = 0;
  bool exact = false;
};
/// Messages of pub/sub carry a topic before their parts.
inline std::string topic_of(std::uint64_t number) {
  return "topic" + std::to_string(number % topics);
}
inline verdict check(std::span<const holdfast::bytes_view> got, std::uint64_t salt) {
  std::vector<std::byte> bytes;
  for (const auto part : got) bytes.insert(bytes.end(), part.begin(), part.end());
  if (bytes.size() < sizeof(head)) return {};
  head of;
  std::memcpy(&of, bytes.data(), sizeof of);
  if (of.size != bytes.size()) return {};
  const parts want = split(of.number, content(of));
  bool exact = of.magic == head{}.magic && of.salt == salt && want.size() == got.size();
  for (std::size_t i = 0; exact && i < want.size(); ++i)
    exact = want[i].size() == got[i].size() &&
            std::equal(want[i].begin(), want[i].end(), got[i].begin());
  return {of.sender, of.number, exact};
}

/// "--key value" pairs.
class arguments {
 public:
  arguments(int argc, char** argv) {
    for (int i = 1; i + 1 < argc; i += 2) values_[argv[i] + 2] = argv[i + 1];
  }
  bool has(const std::string& key) const { return values_.contains(key); }
  std::string text(const std::string& key) const { return values_.at(key); }
  std::uint64_t number(const std::string& key) const {
    const auto found = values_.find(key);
    return found == values_.end() ? 0 : std::stoull(found->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

}  // namespace load
