// queue_limits: how much a queue or service keeps of what nobody has taken, and which limits an
// address has.
//
// Contract: plain data; pure. 0 = no limit. docs/configuration.md says what each limit means.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace holdfast {

struct queue_limits {
  std::uint64_t age_ns = 0;
  std::uint64_t bytes = 0;    ///< of bodies
  std::uint64_t records = 0;  ///< messages
  bool any() const noexcept { return age_ns != 0 || bytes != 0 || records != 0; }
  friend bool operator==(const queue_limits&, const queue_limits&) = default;
};

/// What is said of one address, or of all that begin like it. What is not said is the channel's.
struct address_limits {
  std::string address;
  bool prefix = false;
  std::optional<std::uint64_t> age_ns, bytes, records;
};

/// The limits of a channel's addresses: one entry at most counts, that of the very address, else
/// that of the longest prefix.
struct retention_rules {
  static constexpr std::size_t some_max = 256;

  queue_limits all;
  std::vector<address_limits> some;

  bool any() const noexcept { return all.any() || !some.empty(); }
  queue_limits of(std::string_view address) const;
};

}  // namespace holdfast
