// chunk_queue: a queue with random access that grows and shrinks by chunks. What is in it is never
// moved: growing costs one chunk, not a copy of everything (a ring's growth stops its user for
// milliseconds once it is large).
//
// Contract: emptied chunks are kept for what comes next until give_back(), so that a steady flow
// allocates nothing. An element is made in place: nothing is read of memory gone cold meanwhile.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include "journal/ring.hpp"

namespace holdfast {

template <class T, std::size_t chunk_size = 256>
class chunk_queue {
  static_assert((chunk_size & (chunk_size - 1)) == 0, "a power of two");

 public:
  chunk_queue() = default;
  chunk_queue(const chunk_queue&) = delete;
  chunk_queue& operator=(const chunk_queue&) = delete;
  ~chunk_queue() { clear(); }
  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }
  T& operator[](std::size_t i) noexcept { return *slot(head_ + i); }
  const T& operator[](std::size_t i) const noexcept { return *slot(head_ + i); }
  T& front() noexcept { return *slot(head_); }
  const T& front() const noexcept { return *slot(head_); }
  T& back() noexcept { return *slot(head_ + size_ - 1); }
  template <class... From>
  T& emplace_back(From&&... from) {
    if (head_ + size_ == chunks_.size() * chunk_size) add_chunk();
    T* const made = std::construct_at(slot(head_ + size_), std::forward<From>(from)...);
    ++size_;
    return *made;
  }
  void push_back(T value) { emplace_back(std::move(value)); }
  void pop_front() {
    std::destroy_at(slot(head_));
    --size_;
    if (++head_ == chunk_size) drop_chunk();
  }
  void clear() {
    while (!empty()) pop_front();
  }
  /// Keeps a few of the chunks that are empty.
  void give_back() noexcept {
    if (spares_.size() > kept) spares_.resize(kept);
  }

 private:
  struct chunk {
    alignas(T) std::byte room[chunk_size * sizeof(T)];
  };
  static constexpr std::size_t kept = 16;

  T* slot(std::size_t at) const noexcept {
    return reinterpret_cast<T*>(chunks_[at / chunk_size]->room) + at % chunk_size;
  }
  void add_chunk() {
    if (spares_.empty()) {
      chunks_.push_back(std::unique_ptr<chunk>(new chunk));
    } else {
      chunks_.push_back(std::move(spares_.back()));
      spares_.pop_back();
    }
  }
  void drop_chunk() {
    head_ = 0;
    spares_.push_back(std::move(chunks_.front()));
    chunks_.pop_front();
  }

  ring<std::unique_ptr<chunk>> chunks_;
  std::vector<std::unique_ptr<chunk>> spares_;
  std::size_t head_ = 0;  // in the first chunk
  std::size_t size_ = 0;
};

}  // namespace holdfast
