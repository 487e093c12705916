// numbering: which producer a sidecar is, and how its numbers follow from the sequences of the
// journal its messages come from: number = sequence - base. Up: a far device that has lost (or
// never had) what was accepted before gets a new generation: another producer, whose numbers begin
// behind what is done. Down (--pub): a far device that has lost its journal numbers anew, and so
// begins a new generation here, with another subscription there.
//
// Contract: the file DIR/far.numbering is replaced as a whole, and is durable before the generation
// is used: a crash at any point leaves one generation or the other.
#pragma once

#include <cstdint>
#include <string>

#include "holdfast/status.hpp"

namespace holdfast {

struct numbering {
  static constexpr std::uint64_t not_known = ~0ull;

  std::uint64_t generation = 1;
  /// Sequences up to this one have no number. not_known: down, before the far device first said
  /// where the subscription begins.
  std::uint64_t base = 0;

  /// "sidecar:ID", from the second generation on "sidecar:ID:2": the producer, and the
  /// subscription.
  std::string producer_of(const std::string& journal_id) const;
};

/// The first generation with `base` where there is no file; corrupt where it cannot be understood.
result<numbering> load_numbering(const std::string& directory, std::uint64_t base = 0);
status store_numbering(const std::string& directory, const numbering& what);

}  // namespace holdfast
