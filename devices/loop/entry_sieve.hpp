// entry_sieve: what a filter leaves of one block.
//
// Contract: socket-free; one thread; reuses its memory between calls. Where the entries that match
// stand side by side, the outcome is a slice of the block, else they are copied: sum and dt as they
// were. Void entries match nothing.
#pragma once

#include <cstdint>
#include <vector>

#include "base/log.hpp"
#include "patterns/block.hpp"
#include "patterns/topic_filter.hpp"

namespace holdfast {

class entry_sieve {
 public:
  struct limits {
    std::uint32_t taken = 0;  ///< entries to look at, at most
    std::uint32_t sent = 0;   ///< matching ones, at most
    std::uint64_t bytes = 0;  ///< of what leaves, at most
    bool one_passes = false;  ///< the first match leaves whatever its bytes
  };
  struct outcome {
    std::uint32_t taken = 0;  ///< looked at and done with, those that stay included
    std::uint32_t sent = 0;   ///< of them, those that match
    std::uint32_t at = 0;     ///< index in the block of the first that matches
    std::uint32_t last = 0;   ///< of the last
    std::uint32_t count = 0;  ///< entries in `body`: sent, and the voids between them
    bool whole = false;       ///< `body` is the block's, untouched
    buffer_ref body;          ///< null if nothing matches
  };

  /// Looks at the entries of `b` from index `skip` on. `dense`: entries left out between two
  /// matches become void ones, so that every entry keeps its sequence; else only matches are in the
  /// body.
  outcome sift(const block& b, std::uint32_t skip, const limits& most, const topic_filter& by,
               bool dense);

 private:
  struct match {
    std::uint32_t index = 0;
    std::size_t at = 0, size = 0;  ///< in the body, padding included
    std::size_t bytes = 0;         ///< without it
  };
  buffer_ref pack(bytes_view body, bool dense);

  std::vector<match> matches_;
  block_packer packer_;
};

}  // namespace holdfast
