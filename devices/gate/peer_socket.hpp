// peer_socket: what is set and asked of a connected TCP or ipc socket.
//
// Contract: a system call or two each; what the kernel refuses is left as it is.
#pragma once

#include <cstdint>

namespace holdfast {

/// A TCP peer whose kernel answers nothing for about so many seconds, three at least, is gone.
void keep_alive(int connection, int seconds) noexcept;
/// TCP: what is written does not wait for more.
void send_at_once(int connection) noexcept;
/// What waits here before it is sent stays near so many bytes; what is in flight is not bounded.
/// TCP sends at once.
void bound_unsent(int connection, bool tcp, int bytes) noexcept;
/// What one of the kernel's counters of a socket says: SIOCINQ, SIOCOUTQ, SIOCOUTQNSD.
std::uint64_t queued(int connection, unsigned long counter) noexcept;
/// Bytes that its peer's kernel has not acknowledged. For ipc the kernel counts memory, somewhat
/// more than the bytes.
std::uint64_t unacknowledged(int connection) noexcept;
/// TCP: there are such, and nothing at all was heard of the peer's kernel for so long. (Keepalive
/// rests while there are. A stopped program is not meant: its kernel answers.)
bool answers_nothing(int connection, std::uint32_t timeout_ms) noexcept;
/// Closing it will drop what is unsent instead of trying on.
void reset_on_close(int connection) noexcept;

}  // namespace holdfast
