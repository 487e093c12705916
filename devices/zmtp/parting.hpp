// parting: what a connection still gets before its end.
#pragma once

#include <cstdint>

#include "devices/zmtp/connection.hpp"

namespace holdfast::zmtp {

/// Writes what waits; waits itself, until then at the latest.
void flush_until(connection& wire, std::uint64_t deadline_ns) noexcept;

/// For what was not read the kernel would break the connection, and drop what it has to send.
void read_away(connection& wire) noexcept;

}  // namespace holdfast::zmtp
