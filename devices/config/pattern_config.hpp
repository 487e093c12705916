// pattern_config: the keys that only channels of one pattern have.
//
// Contract: internal to devices/config; fields write into what they are given, which outlives them.
#pragma once

#include <vector>

#include "devices/config/endpoint_words.hpp"
#include "devices/config/schema.hpp"

namespace holdfast {

/// Keys beside those that every channel has.
std::vector<field> pattern_fields(pattern_options& of, complaints& errors);

}  // namespace holdfast
