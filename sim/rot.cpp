#include "sim/rot.hpp"

#include <algorithm>
#include <cstring>

namespace holdfast::sim {
namespace {

constexpr std::size_t record_head = 64, record_unit = 16, records_at = 4096, delta_at = 40;
constexpr std::size_t key_bytes = 24, magic_bytes = 8, reach_back = 512 * 1024;
constexpr std::byte block_type{16};

using bytes = std::vector<std::byte>;

template <class T>
T number(const bytes& in, std::size_t at) {
  T value{};
  if (at + sizeof value <= in.size()) std::memcpy(&value, in.data() + at, sizeof value);
  return value;
}

/// Where in [from, to) a message begins; `to` if none does. Looks for the magic alone: the rest of
/// a key is mostly zeros, as is unwritten space, through which memmem then goes byte by byte.
std::size_t find_message(const bytes& in, std::size_t from, std::size_t to) {
  static const bytes any = key_part({});
  const void* at = ::memmem(in.data() + from, to - from, any.data(), magic_bytes);
  return at ? static_cast<std::size_t>(static_cast<const std::byte*>(at) - in.data()) : to;
}

std::optional<message_key> key_in(const bytes& in, std::size_t from, std::size_t to) {
  const std::size_t at = find_message(in, from, to);
  if (to - at < key_bytes) return std::nullopt;
  const auto begin = in.begin() + static_cast<std::ptrdiff_t>(at);
  return read_key({{begin, begin + key_bytes}});
}

std::size_t end_of_record(const bytes& in, std::size_t at) {
  return at + record_head + number<std::uint32_t>(in, at + 4);
}

/// Where the next record begins behind one that ends at `end`.
std::size_t record_behind(std::size_t end) {
  return (end + record_unit - 1) / record_unit * record_unit;
}

/// The messages of the block record at `at`; none if there is no such record.
std::vector<message_key> block_at(const bytes& in, std::size_t at) {
  if (in[at + 8] != block_type) return {};
  const std::size_t end = end_of_record(in, at);
  const auto count = number<std::uint16_t>(in, at + 10);
  if (end > in.size() || count == 0) return {};
  std::vector<message_key> keys;
  std::size_t entry = at + record_head;
  for (std::uint16_t i = 0; i < count; ++i) {
    const std::size_t size = number<std::uint32_t>(in, entry);
    if (size < 12 || entry + size > end) return {};
    if (const auto key = key_in(in, entry, entry + size)) keys.push_back(*key);
    entry += (size + 3) / 4 * 4;
  }
  return entry == end ? keys : std::vector<message_key>{};
}

struct block {
  std::size_t end = 0;
  std::vector<message_key> keys;  ///< none: there is no such block
};

block block_around(const bytes& in, std::size_t hit) {
  const std::size_t last = (hit - record_head) / record_unit * record_unit;
  const std::size_t first = std::max(records_at, hit > reach_back ? hit - reach_back : 0);
  for (std::size_t at = last; at >= first; at -= record_unit) {
    const std::size_t end = end_of_record(in, at);
    if (end <= hit) continue;
    std::vector<message_key> keys = block_at(in, at);
    if (!keys.empty()) return {end, std::move(keys)};
  }
  return {};
}

/// A later record that is durable says that this one is: without any, rot cannot be told from what
/// a loss of power tore.
bool is_proven(const virtual_disk& disk, const std::string& name, const bytes& in,
               std::size_t end) {
  std::size_t at = record_behind(end);
  while (at + record_head <= in.size() && number<std::uint64_t>(in, at) != 0 &&
         disk.settled(name, at, record_head)) {
    const std::size_t unproven = number<std::uint32_t>(in, at + delta_at) * record_unit;
    if (unproven <= at && at - unproven >= end) return true;
    at = record_behind(end_of_record(in, at));
  }
  return false;
}

}  // namespace

std::vector<message_key> rot_message(virtual_disk& disk, const message_key& key,
                                     random_source& salt) {
  const bytes wanted = key_part(key);
  const std::size_t within = salt.below(key_bytes);
  const auto bit = static_cast<std::byte>(1u << salt.below(8));
  std::vector<message_key> all;
  for (const std::string& name : disk.names()) {
    const bytes& content = disk.content(name);
    if (!name.starts_with("seg/") || content.size() <= records_at) continue;
    const std::size_t end = content.size();
    for (std::size_t hit = find_message(content, records_at, end); hit != end;
         hit = find_message(content, hit + 1, end)) {
      if (end - hit < key_bytes || std::memcmp(&content[hit], wanted.data(), key_bytes) != 0)
        continue;
      // What was written just now, or moved, is in the memory of the machine, and right there.
      if (!disk.settled(name, hit, key_bytes)) continue;
      const block hurt = block_around(content, hit);
      if (hurt.keys.empty() || !is_proven(disk, name, content, hurt.end)) continue;
      const std::byte changed = content[hit + within] ^ bit;
      disk.damage(name, hit + within, {&changed, 1});
      all.insert(all.end(), hurt.keys.begin(), hurt.keys.end());
    }
  }
  return all;
}

}  // namespace holdfast::sim
