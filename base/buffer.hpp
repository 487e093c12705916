// buffer_ref: refcounted immutable bytes, the unit that travels from socket to disk and on to
// consumers uncopied.
//
// Contract: a buffer's bytes never change and stay valid while a reference lives. Copying a
// reference costs one relaxed atomic. Threads: references may be dropped on any thread (the commit
// thread drops the last one after a write); `owner` of a ZeroMQ message is used by the loop thread
// alone. A buffer_ref may name a slice.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/coding.hpp"

namespace holdfast {

/// What holds the bytes: a slab, a ZeroMQ message, a mapped range. Derived classes live where their
/// library lives.
class buffer {
 public:
  enum class kind : std::uint8_t { slab, zmq_message, map };

  buffer(const buffer&) = delete;
  buffer& operator=(const buffer&) = delete;
  bytes_view bytes() const noexcept { return bytes_; }
  kind what() const noexcept { return kind_; }

 protected:
  explicit buffer(kind what, bytes_view bytes = {}) noexcept : bytes_(bytes), kind_(what) {}
  virtual ~buffer() = default;
  /// Called once by the last reference; a pooled slab returns itself instead of being deleted.
  virtual void dispose() noexcept { delete this; }
  bytes_view bytes_;

 private:
  friend class buffer_ref;
  std::atomic<std::uint32_t> references_{0};
  kind kind_;
};

/// A counted reference to a slice of a buffer. Null by default.
class buffer_ref {
 public:
  buffer_ref() noexcept = default;
  explicit buffer_ref(buffer* owner) noexcept : buffer_ref(owner, owner->bytes()) {}
  buffer_ref(buffer* owner, bytes_view slice) noexcept : owner_(owner), bytes_(slice) { retain(); }
  buffer_ref(const buffer_ref& other) noexcept : owner_(other.owner_), bytes_(other.bytes_) {
    retain();
  }
  buffer_ref(buffer_ref&& other) noexcept
      : owner_(std::exchange(other.owner_, nullptr)), bytes_(std::exchange(other.bytes_, {})) {}
  buffer_ref& operator=(buffer_ref other) noexcept {
    std::swap(owner_, other.owner_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~buffer_ref() { release(); }

  bytes_view bytes() const noexcept { return bytes_; }
  const std::byte* data() const noexcept { return bytes_.data(); }
  std::size_t size() const noexcept { return bytes_.size(); }
  explicit operator bool() const noexcept { return owner_ != nullptr; }
  /// The same bytes' owner; null for a null reference.
  buffer* owner() const noexcept { return owner_; }
  /// True when no other reference to the same buffer lives.
  bool unique() const noexcept {
    return owner_ && owner_->references_.load(std::memory_order_acquire) == 1;
  }
  /// True when this reference covers all of its owner (a ZeroMQ message may then be forwarded as it
  /// is).
  bool whole() const noexcept { return owner_ && bytes_.size() == owner_->bytes().size(); }
  /// A reference to [at, at + size) of this slice.
  buffer_ref slice(std::size_t at, std::size_t size) const noexcept {
    return owner_ ? buffer_ref(owner_, bytes_.subspan(at, size)) : buffer_ref{};
  }

 private:
  void retain() noexcept {
    if (owner_) owner_->references_.fetch_add(1, std::memory_order_relaxed);
  }
  void release() noexcept {
    if (owner_ && owner_->references_.fetch_sub(1, std::memory_order_acq_rel) == 1)
      owner_->dispose();
  }

  buffer* owner_ = nullptr;
  bytes_view bytes_;
};

/// A slab filled once by its maker and then frozen as a buffer_ref. Big ones are used again
/// (base/slab_memory.hpp).
class slab final : public buffer {
 public:
  /// Of at least `capacity` bytes, not initialized.
  explicit slab(std::size_t capacity);
  ~slab() override;
  std::byte* data() noexcept { return memory_; }
  std::size_t capacity() const noexcept { return capacity_; }
  /// States how many bytes were filled; call once, before the first reference is shared.
  void set_size(std::size_t size) noexcept { bytes_ = {memory_, size}; }

 private:
  std::byte* memory_;
  std::size_t capacity_;
};

/// A fresh buffer holding a copy of `bytes`.
inline buffer_ref copy_to_buffer(bytes_view bytes) {
  auto* made = new slab(bytes.size());
  if (!bytes.empty()) std::memcpy(made->data(), bytes.data(), bytes.size());
  made->set_size(bytes.size());
  return buffer_ref(made);
}

}  // namespace holdfast
