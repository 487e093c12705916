#include "devices/loop/wire_link.hpp"

#include <utility>

#include "devices/gate/peer_socket.hpp"

namespace holdfast {

void wire_link::flush(const wire_door& door) {
  if (wire.out().empty()) return;
  const io outcome = wire.flush();
  gone = gone || outcome == io::failed;
  const bool full = outcome != io::done;
  if (full != blocked) door.watch_writable(wire.get(), number, full);
  blocked = full;
}

void wire_link::unblock(const wire_door& door) {
  if (!wire.out().empty()) return flush(door);
  if (std::exchange(blocked, false)) door.watch_writable(wire.get(), number, false);
}

void wire_link::look_after(const wire_door& door) noexcept {
  wire.out().rest();
  if (!door.tcp() || !answers_nothing(wire.get(), wire_door::peer_timeout_ms)) return;
  reset_on_close(wire.get());
  gone = true;
}

}  // namespace holdfast
