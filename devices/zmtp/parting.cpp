#include "devices/zmtp/parting.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>

#include "base/clock.hpp"

namespace holdfast::zmtp {

void flush_until(connection& wire, std::uint64_t deadline_ns) noexcept {
  while (wire.flush() == io::would_block) {
    const std::uint64_t now = monotonic_now();
    if (now >= deadline_ns) return;
    pollfd waiting{wire.get(), POLLOUT, 0};
    ::poll(&waiting, 1,
           static_cast<int>(std::min<std::uint64_t>((deadline_ns - now) / ms_ns, 1000) + 1));
  }
}

void read_away(connection& wire) noexcept {
  char bytes[4096];
  for (int reads = 0; reads < 64; ++reads)
    if (::recv(wire.get(), bytes, sizeof bytes, MSG_DONTWAIT) <= 0) return;
}

}  // namespace holdfast::zmtp
