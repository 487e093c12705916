#include "devices/loop/wire_peer.hpp"

#include <algorithm>

#include "devices/gate/peer_socket.hpp"

namespace holdfast {
namespace {

// Nobody tells that what is under way was taken: looked for soon, then more seldom.
constexpr std::uint64_t first_crowd_pause_ns = ms_ns / 2;

}  // namespace

wire_peer::wire_peer(const output_terms& terms, std::string name, const wire_door& door)
    : output_peer(terms, std::move(name), terms.apart()), door_(door) {
  crowd_pause_ns_ = first_crowd_pause_ns;
}

void wire_peer::attach(output_link& link) {
  link.of = this;
  links_.push_back(&link);
  look_at_links();
}

void wire_peer::detach(output_link& link) {
  link.of = nullptr;
  links_.erase(std::find(links_.begin(), links_.end(), &link));
  look_at_links();
}

void wire_peer::look_at_links() noexcept {
  const bool none = std::all_of(links_.begin(), links_.end(),
                                [](const wire_link* link) { return link->blocked; });
  if (none != blocked_) block(none);
}

bool wire_peer::has_room(const wire_link& link) const noexcept {
  const zmtp::outbox& out = link.wire.out();
  return !link.blocked && out.bytes() < batch_bytes &&
         (terms_->apart() || out.messages() < terms_->options.send_hwm_messages);
}

io wire_peer::take(std::span<const part_out> parts, std::uint64_t before) {
  for (std::size_t tried = 0; tried < links_.size(); ++tried) {
    if (next_ >= links_.size()) next_ = 0;
    wire_link& link = *links_[next_++];
    if (!has_room(link)) continue;
    link.wire.out().add(parts, before);
    return io::done;
  }
  return io::would_block;
}

void wire_peer::hand_over(engine&) {
  const std::uint64_t end = queue_.handed() + pump_messages;
  io outcome = io::would_block;
  while (outcome == io::would_block && !blocked_ && queue_.handed() < end) {
    outcome = queue_.pump(*this, end - queue_.handed());
    for (wire_link* link : links_)
      if (!link->blocked) link->flush(door_);
    look_at_links();
  }
}

void wire_peer::look_at_unsent() {
  if (links_.empty()) return;
  const wire_link& link = *links_.front();
  const std::uint64_t bytes = unacknowledged(link.wire.get());
  idle_ = bytes == 0 && link.wire.out().empty();
  const std::uint64_t pause = crowded_ ? 2 * crowd_pause_ns_ : first_crowd_pause_ns;
  crowd_pause_ns_ = std::min(pause, crowd_check_ns);
  crowded_ = crowds(bytes);
}

std::uint64_t wire_peer::handed() const noexcept {
  const std::uint64_t all = queue_.handed();
  if (!terms_->apart() || links_.empty()) return all;
  return links_.front()->wire.out().first_unwritten(all);
}

}  // namespace holdfast
