// plain_packer: packs what one turn received from plain sockets into blocks of one stream.
//
// Contract: socket-free; one thread. A message is copied once, into the block, but for one that is
// a block of its own where it lies. take() hands over every block of the turn; they stay valid
// until clear().
#pragma once

#include <span>
#include <vector>

#include "patterns/block.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

class plain_packer {
 public:
  void set_stream(stream_id stream) noexcept { stream_ = stream; }
  stream_id stream() const noexcept { return stream_; }
  /// `bytes`: the sum of the parts. `time_ns`: realtime, of the turn.
  void add(std::span<const bytes_view> parts, std::uint64_t bytes, std::uint64_t time_ns) {
    if (!packer_.fits(bytes, parts.size())) seal();
    packer_.add(parts, time_ns);
    held_bytes_ += bytes;
    ++held_messages_;
  }
  /// A message of one part; there are entry_head_bytes in front of it and padding_bytes_max behind.
  void enclose(buffer* owner, std::byte* message, std::size_t size) {
    seal();
    hold(holdfast::enclose(owner, message, size));
    held_bytes_ += size;
    ++held_messages_;
  }
  std::span<plain_block> take() {
    seal();
    held_bytes_ = held_messages_ = 0;
    return blocks_;
  }
  void clear() noexcept { blocks_.clear(); }
  /// Since the last take().
  std::uint64_t held_bytes() const noexcept { return held_bytes_; }
  std::uint64_t held_messages() const noexcept { return held_messages_; }

 private:
  void seal() {
    if (!packer_.empty()) hold(packer_.seal());
  }
  void hold(sealed_block made) {
    blocks_.push_back({stream_, made.count, made.props_mask, made.body_sum, std::move(made.body)});
  }

  stream_id stream_ = no_stream;
  block_packer packer_;
  std::vector<plain_block> blocks_;
  std::uint64_t held_bytes_ = 0, held_messages_ = 0;
};

}  // namespace holdfast
