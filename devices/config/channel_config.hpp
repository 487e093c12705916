// channel_config: one entry of a device's `channels`.
//
// Contract: internal to devices/config; complaints go to `errors`, names and endpoints are claimed
// in `taken`.
#pragma once

#include "devices/config/claims.hpp"
#include "devices/config/schema.hpp"

namespace holdfast {

channel_options read_channel(const YAML::Node& node, std::string_view device, claims& taken,
                             complaints& errors);

}  // namespace holdfast
