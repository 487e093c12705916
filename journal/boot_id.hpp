// boot_id: which boot of the machine this is: what was only written is lost with it.
//
// Contract: any thread; reads /proc.
#pragma once

#include "journal/options.hpp"

namespace holdfast {

/// The id the kernel gave this boot; zeros where it cannot be read.
bytes16_id system_boot_id();

}  // namespace holdfast
