// endpoint_words: how the plain endpoints of each pattern are spoken of, in a file and on a command
// line.
//
// Contract: pure.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "devices/device_options.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

struct endpoint_words {
  std::string_view address;  ///< "queue", "service"; empty: endpoints have none
  std::vector<std::pair<std::string_view, plain_tracking>> peers;  ///< how receivers are tracked
  bool in_doubt = false;  ///< what was handed over may come back
  bool durable = false;   ///< an output may have a name
  bool ack_back = false;  ///< receivers may send delivery ids back
  bool workers = false;   ///< workers of other protocols have endpoints of their own
};
const endpoint_words& words_of(const pattern_options& of);

/// Why `name` cannot be an address of the pattern, or ok.
status check_address(const endpoint_words& words, std::string_view name);

}  // namespace holdfast
