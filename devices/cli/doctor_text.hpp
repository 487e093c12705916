// doctor_text: what a device's status means to the peers of its endpoints, for people and programs.
//
// Contract: pure; `status` is what the device answered. bad_frame if it is no JSON object.
#pragma once

#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast::cli {

result<std::string> doctor_text(std::string_view status);
/// {"device": ..., "endpoints": [{"channel", "pattern", "endpoint", "peers", "level", "promised",
/// "in_doubt", "loss_points": [...]}]}
result<std::string> doctor_json(std::string_view status);

}  // namespace holdfast::cli
