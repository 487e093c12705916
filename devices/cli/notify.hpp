// notify: tells systemd how the process is doing, by one datagram to NOTIFY_SOCKET. Does nothing
// where there is none.
#pragma once

#include <string_view>

namespace holdfast::cli {

/// "READY=1", "STOPPING=1", "STATUS=...": as sd_notify(3). Failures are of no consequence.
void notify_service(std::string_view state) noexcept;

}  // namespace holdfast::cli
