// connection: a peer that connected: its socket, what was received of it, its intake and outbox.
//
// Contract: one thread; no call waits. Parts of a message are views into the connection's memory
// until the next receive(); kept() makes them last. Memory: 16 KiB while idle; while it sends, up
// to read_bytes_max or one message of the greatest size, whichever is more, what is kept of it
// aside; and the outbox. What is to be answered goes to the outbox, and on at once if that was
// empty.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.hpp"
#include "devices/gate/fd.hpp"
#include "devices/zmtp/intake.hpp"
#include "devices/zmtp/outbox.hpp"

namespace holdfast::zmtp {

inline constexpr std::size_t read_bytes_min = 16 << 10, read_bytes_max = 256 << 10;

/// A part in memory that nobody else looks at.
struct roomy_part {
  buffer_ref holder;
  std::byte* at = nullptr;
  std::size_t size = 0;
  explicit operator bool() const noexcept { return at != nullptr; }
};

class connection {
 public:
  /// `who`: for people.
  connection(const role& as, fd socket, std::string who, const intake_limits& limits);

  /// Takes what the kernel has, once. False: nothing was there, or it is the end.
  bool receive();
  /// The next of what was received; `failed` also when the peer is gone and all it sent was seen.
  seen next();
  std::span<const bytes_view> parts() const noexcept { return intake_.parts(); }
  std::uint64_t bytes() const noexcept { return intake_.bytes(); }
  /// One of parts(), for as long as it is wanted: a large one where it lies, a small one copied, as
  /// it would hold all that was received with it.
  buffer_ref kept(bytes_view part) const;
  /// The part of a message that has no other, and for as long as it is wanted, with `before` bytes
  /// in front of it, 16 at most, and `behind` after it that are the caller's to write. Null if it
  /// is small, or not alone in its memory; then it is where it was.
  roomy_part detach(std::size_t before, std::size_t behind);
  /// The kernel may have more.
  bool readable() const noexcept { return readable_; }
  /// `ending`: the peer has said that no more will come.
  void set_readable(bool ending) noexcept {
    readable_ = true;
    ending_ = ending_ || ending;
  }
  /// As next(), with what the kernel has: no `progress`, and `incomplete` only if it has no more.
  seen advance();
  /// As intake::expire(); next() tells.
  void expire() { intake_.expire(); }
  /// The handshake is done.
  bool ready() const noexcept { return intake_.ready(); }
  outbox& out() noexcept { return out_; }
  const outbox& out() const noexcept { return out_; }
  /// Writes what is in the outbox; as outbox::flush().
  io flush() { return out_.flush(socket_.get()); }
  /// Nothing more for now: memory that stays unused goes.
  void rest();
  /// It cannot be written any more: what the peer said is still read, up to the end, which comes.
  void hang_up() noexcept;

  int get() const noexcept { return socket_.get(); }
  const std::string& who() const noexcept { return who_; }
  /// How it broke the protocol; empty if it went.
  const std::string& failure() const noexcept { return intake_.failure(); }

 private:
  std::size_t held() const noexcept { return end_ - begin_; }
  std::size_t missing() const noexcept;
  void make_room();
  std::size_t least_room() const noexcept;
  std::size_t for_large() const noexcept;
  std::size_t for_small() const noexcept;
  void move_to(slab* fresh);
  void learn(std::size_t asked, std::size_t got) noexcept;
  void end() noexcept;
  void answer();

  fd socket_;
  std::string who_;
  intake intake_;
  outbox out_;
  std::uint64_t answered_ = 0;  // bytes, since the outbox was empty
  buffer_ref holder_;           // keeps memory_ alive
  slab* memory_ = nullptr;
  std::size_t begin_ = 0, end_ = 0;
  std::size_t read_bytes_ = read_bytes_min;  // a read that fills it doubles it
  unsigned small_reads_ = 0;                 // one after the other
  bool readable_ = true, ending_ = false, ended_ = false;
};

}  // namespace holdfast::zmtp
