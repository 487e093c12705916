#include "devices/loop/held_frames.hpp"

namespace holdfast {
namespace {

/// Frames that left are moved out of the queue's front when they are this many and the majority.
constexpr std::size_t compact_min = 64;

}  // namespace

void held_frames::push(held_frame frame) {
  line& queue = lines_[frame.frame.to];
  if (queue.empty()) waiting_.push_back(frame.frame.to);
  queue.frames.push_back(std::move(frame));
  ++size_;
}

void held_frames::forget(peer_id peer) noexcept {
  const auto found = lines_.find(peer);
  if (found == lines_.end()) return;
  size_ -= found->second.frames.size() - found->second.head;
  std::erase(waiting_, peer);
  lines_.erase(found);
}

void held_frames::pop(peer_id peer) noexcept {
  const auto found = lines_.find(peer);
  if (found == lines_.end()) return;
  line& queue = found->second;
  queue.frames[queue.head].frame.body = {};
  ++queue.head;
  --size_;
  if (queue.head < compact_min || queue.head * 2 < queue.frames.size()) return;
  queue.frames.erase(queue.frames.begin(),
                     queue.frames.begin() + static_cast<std::ptrdiff_t>(queue.head));
  queue.head = 0;
}

}  // namespace holdfast
