// promise_json: what one endpoint of a device is to its peers, in words: what is promised, what
// stays in doubt, and where a message could be lost.
//
// Contract: pure; `at` and `channel` are an endpoint and its channel in a device's status.
#pragma once

#include <string>
#include <vector>

#include "devices/cli/answer_fields.hpp"

namespace holdfast::cli {

struct endpoint_promise {
  std::string peers, promised, in_doubt;
  std::vector<std::string> loss;  ///< never empty
};

endpoint_promise promise_of(const answer_json& at, const answer_json& channel);
/// What `accepted` means in this channel.
std::string level_of(const answer_json& channel);

}  // namespace holdfast::cli
