// check(): a broken invariant aborts, in release too, with the place and the reason.
#pragma once

#include <source_location>

namespace holdfast {

[[noreturn]] void check_failed(const char* what, const std::source_location& where) noexcept;

/// Aborts unless `condition` holds. `what` states the invariant, not the symptom.
inline void check(bool condition, const char* what,
                  const std::source_location& where = std::source_location::current()) noexcept {
  if (!condition) [[unlikely]]
    check_failed(what, where);
}

}  // namespace holdfast
