// planted_run: one simulated run with a mistake planted, in a process of its own: a mistake may
// well break an invariant, which aborts.
#pragma once

#include <cstdint>
#include <string>

#include "base/planted.hpp"

namespace holdfast {

/// Who saw it: a checker's name, "check" for a broken invariant, "hang"; empty if nobody did.
std::string caught_by(bug planted_one, std::uint64_t seed);

}  // namespace holdfast
