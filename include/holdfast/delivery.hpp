// delivery: a message as an endpoint receives it, alone or in a batch.
//
// Contract: copies share the bytes, which live as long as any copy does; any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <string_view>

#include "holdfast/message.hpp"

namespace holdfast {

/// One received message. Copies are cheap; the bytes live as long as any copy does.
class delivery {
 public:
  delivery() noexcept = default;
  /// Its parts. Views are valid while this delivery (or a copy) lives.
  const message_view& parts() const noexcept { return parts_; }
  /// The first part as text: all there is of most messages.
  std::string_view text() const noexcept { return as_text(parts_[0]); }
  /// Its number in the stream (queue, channel, service): dense, never reused.
  std::uint64_t sequence() const noexcept { return sequence_; }
  /// 1 for the first try; counts failures (nacks, leases run out).
  unsigned attempt() const noexcept { return attempt_; }
  /// True if somebody may have seen it before.
  bool redelivered() const noexcept { return redelivered_; }

 private:
  friend class batch;
  friend struct handed;  // the library's
  std::shared_ptr<const void> keep_;
  message_view parts_;
  std::uint64_t sequence_ = 0, serial_ = 0;
  std::uint32_t slot_ = 0;
  std::uint16_t index_ = 0, attempt_ = 1;
  bool redelivered_ = false;
};

/// Consecutive messages received together. Iterating costs nothing per message; copy a delivery out
/// to keep it. Views are valid while the batch or such a copy lives.
class batch {
 public:
  class iterator {
   public:
    using value_type = delivery;
    using difference_type = std::ptrdiff_t;
    using iterator_category = std::input_iterator_tag;
    using pointer = const delivery*;
    using reference = const delivery&;

    const delivery& operator*() const noexcept { return current_; }
    const delivery* operator->() const noexcept { return &current_; }
    iterator& operator++() noexcept;
    /// Only the comparison with end() has a meaning.
    bool operator==(const iterator& other) const noexcept { return done_ == other.done_; }

   private:
    friend class batch;
    iterator() noexcept = default;
    void step() noexcept;
    delivery current_;
    part_view rest_;
    bool done_ = true;
  };

  batch() noexcept = default;
  bool empty() const noexcept { return count_ == 0; }
  /// At most so many messages (numbers held for nothing are counted and not shown).
  std::size_t size_max() const noexcept { return count_; }
  iterator begin() const noexcept;
  iterator end() const noexcept { return {}; }

 private:
  friend struct handed;
  delivery first_;  // where the batch begins; its parts are not set
  part_view rest_;
  std::uint16_t count_ = 0;
};

}  // namespace holdfast
