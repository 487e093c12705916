// outbox: what a peer is to be sent and its kernel has not taken yet: frame heads and small parts
// in one piece of memory, large parts where they lie, all in one system call.
//
// Contract: one thread, non-blocking sockets. What add() was given by reference stays alive until
// it is written. Memory: about twice what was added and is not written, which its user bounds; it
// keeps its room until rest().
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/buffer.hpp"
#include "devices/transport/socket.hpp"

struct iovec;

namespace holdfast::zmtp {

class outbox {
 public:
  /// A message. `mark`, for first_unwritten(), does not fall.
  void add(std::span<const part_out> parts, std::uint64_t mark);
  /// What belongs to no message, between two.
  void add(bytes_view raw);
  bool empty() const noexcept { return added_ == written_; }
  /// Not written yet.
  std::uint64_t bytes() const noexcept { return added_ - written_; }
  /// Of which something is left, and some that were written lately.
  std::size_t messages() const noexcept { return ends_.size(); }

  /// Writes what the kernel takes: done, would_block (some is left), or failed (errno).
  io flush(int socket);
  /// Nothing more for now: if it is empty, its memory goes.
  void rest();
  /// The mark of the first message that is not written whole; `none` if all are.
  std::uint64_t first_unwritten(std::uint64_t none) const noexcept;

 private:
  struct slice {
    std::size_t behind = 0;  // it comes after so many bytes of copied_
    bytes_view bytes;
    buffer_ref keep;
  };
  struct end {
    std::uint64_t at = 0, mark = 0;
  };

  std::byte* grow(std::size_t bytes);
  std::size_t gather(std::span<iovec> into) const;
  void pass(std::uint64_t bytes);
  void drop_written();
  void clear();

  std::vector<std::byte> copied_;
  std::size_t copied_size_ = 0;
  std::vector<slice> slices_;
  std::vector<end> ends_;
  std::uint64_t added_ = 0, written_ = 0;
  // Where writing goes on.
  std::size_t next_slice_ = 0, copied_at_ = 0, slice_at_ = 0;
};

}  // namespace holdfast::zmtp
