// slab_pool: slabs for the bytes of records, used again once what was in them is written, so that
// appending neither allocates nor touches fresh pages. Those that came free last go first: they are
// still in the processor's cache.
//
// Contract: one thread takes slabs; whoever writes them drops its references on any thread. They
// come free in the order they were taken. Memory: as many as were being written at once, until
// give_back().
#pragma once

#include <cstddef>
#include <vector>

#include "base/buffer.hpp"
#include "journal/ring.hpp"

namespace holdfast {

class slab_pool {
 public:
  static constexpr std::size_t slab_bytes = 64 << 10;

  /// The bytes of another slab; the one before is used again once nobody else holds it.
  std::byte* next() {
    collect(0);
    if (free_.empty()) {
      auto* made = new slab(slab_bytes);
      made->set_size(slab_bytes);
      taken_.push_back(buffer_ref(made));
    } else {
      taken_.push_back(std::move(free_.back()));
      free_.pop_back();
    }
    return static_cast<slab*>(taken_.back().owner())->data();
  }
  /// Of the slab taken last.
  buffer_ref slice(std::size_t at, std::size_t size) const noexcept {
    return taken_.back().slice(at, size);
  }
  /// Keeps a few of those that are free.
  void give_back() {
    collect(1);  // the last is being filled
    if (free_.size() > kept) free_.resize(kept);
  }

 private:
  static constexpr std::size_t kept = 16;

  void collect(std::size_t but) {
    while (taken_.size() > but && taken_.front().unique()) {
      free_.push_back(std::move(taken_.front()));
      taken_.pop_front();
    }
  }

  ring<buffer_ref> taken_;  // the oldest first
  std::vector<buffer_ref> free_;
};

}  // namespace holdfast
