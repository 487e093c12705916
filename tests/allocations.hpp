// allocations: how often operator new was called in this program, which links its replacement.
#pragma once

#include <cstdint>

namespace holdfast::testing {

std::uint64_t allocations_of_this_thread() noexcept;
std::uint64_t allocations_of_all_threads() noexcept;

}  // namespace holdfast::testing
