#include "holdfast/status.hpp"

namespace holdfast {

std::string_view name(errc kind) noexcept {
  switch (kind) {
    case errc::ok: return "ok";
    case errc::full: return "full";
    case errc::expired: return "expired";
    case errc::too_large: return "too_large";
    case errc::duplicate_conflict: return "duplicate_conflict";
    case errc::schema: return "schema";
    case errc::io: return "io";
    case errc::denied: return "denied";
    case errc::paused: return "paused";
    case errc::fenced: return "fenced";
    case errc::stale: return "stale";
    case errc::bad_frame: return "bad_frame";
    case errc::invalid: return "invalid";
    case errc::not_found: return "not_found";
    case errc::timeout: return "timeout";
    case errc::closed: return "closed";
    case errc::corrupt: return "corrupt";
    case errc::in_use: return "in_use";
    case errc::would_block: return "would_block";
    case errc::unsupported: return "unsupported";
  }
  return "unknown";
}

}  // namespace holdfast
