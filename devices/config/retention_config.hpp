// retention_config: the limits of a channel's queues or services, and those of single ones.
//
// Contract: internal to devices/config; fields write into `into`, complaints go to `errors`; both
// outlive the fields.
#pragma once

#include <string_view>
#include <vector>

#include "devices/config/endpoint_words.hpp"
#include "devices/config/schema.hpp"

namespace holdfast {

/// `addresses`: the key under which single ones stand, "queues" or "services".
std::vector<field> retention_fields(std::string_view addresses, const pattern_options& of,
                                    retention_rules& into, complaints& errors);

}  // namespace holdfast
