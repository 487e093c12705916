// held_frames: frames that may not leave yet: their records are not durable, or their run is still
// being loaded. One queue a peer: a waiting frame holds later ones to the same peer, never to
// others.
//
// Contract: one thread; memory of emptied queues is kept for the next frames of the same peer until
// forget().
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/log.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

struct held_frame {
  ticket after = 0;  ///< 0 = waits for no record
  std::uint32_t channel = 0;
  frame_out frame;
};

class held_frames {
 public:
  bool holds(peer_id peer) const noexcept {
    const auto found = lines_.find(peer);
    return found != lines_.end() && !found->second.empty();
  }
  void push(held_frame frame);
  void forget(peer_id peer) noexcept;
  std::size_t size() const noexcept { return size_; }

  /// Lets go of every frame that is durable by `reached`, in order, as long as `emit(frame)` says
  /// it left (false: its run is not there yet).
  template <class Emit>
  void release(const marks& reached, Emit&& emit) {
    for (std::size_t i = 0; i < waiting_.size();) {
      const peer_id peer = waiting_[i];
      if (release_one(peer, reached, emit)) {
        waiting_[i] = waiting_.back();
        waiting_.pop_back();
      } else {
        ++i;
      }
    }
  }

 private:
  struct line {
    std::vector<held_frame> frames;
    std::size_t head = 0;
    bool empty() const noexcept { return head == frames.size(); }
  };

  /// True when the peer's queue is empty or gone.
  template <class Emit>
  bool release_one(peer_id peer, const marks& reached, Emit& emit) {
    for (;;) {
      const auto found = lines_.find(peer);  // emit may forget the peer
      if (found == lines_.end()) return true;
      line& queue = found->second;
      if (queue.empty()) return reset(queue);
      held_frame& front = queue.frames[queue.head];
      if (front.after > reached.at(front.frame.need) || !emit(front)) return false;
      pop(peer);
    }
  }
  static bool reset(line& queue) noexcept {
    queue.frames.clear();
    queue.head = 0;
    return true;
  }
  void pop(peer_id peer) noexcept;

  std::unordered_map<peer_id, line> lines_;
  std::vector<peer_id> waiting_;  ///< peers with something in their queue, each once
  std::size_t size_ = 0;
};

}  // namespace holdfast
