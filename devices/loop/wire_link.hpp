// wire_link: a connection of a port that writes ZMTP itself: what its kernel does not take waits in
// its outbox until its door says that it is writable.
//
// Contract: one thread; no call waits.
#pragma once

#include <cstdint>

#include "devices/loop/wire_door.hpp"
#include "devices/zmtp/connection.hpp"

namespace holdfast {

struct wire_link {
  std::uint64_t number = 0;
  zmtp::connection wire;
  bool blocked = false;  ///< its kernel takes no more; the door watches it
  bool gone = false;

  /// Writes what waits.
  void flush(const wire_door& door);
  /// The door says that it takes bytes again.
  void unblock(const wire_door& door);
  /// From time to time: the memory of a burst that is over goes; a TCP peer whose host has answered
  /// nothing for peer_timeout_ms is gone.
  void look_after(const wire_door& door) noexcept;
  static constexpr std::uint64_t look_every_ns = wire_door::peer_timeout_ms * ms_ns / 4;
};

}  // namespace holdfast
