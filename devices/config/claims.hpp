// claims: what the devices of one process must not share or ask for, checked as they are listed,
// so that a file and a command line obey the same rules.
//
// Contract: pure; one object a configuration. A failed status says what is wrong and what to do;
// the caller knows the place.
#pragma once

#include <set>
#include <string>
#include <string_view>

#include "devices/device_options.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

class claims {
 public:
  /// `kind` "device name", "data directory", "channel name" (`scope`: its device), ...
  status take(std::string_view kind, std::string_view value, std::string_view scope = {});
  /// An endpoint of a device, well-formed and bound only once. `alone`: its peers are tracked one
  /// by one, which a bound inproc endpoint cannot do.
  status take_endpoint(std::string_view text, bool alone = false);
  /// All endpoints of a channel.
  status take_endpoints(const channel_options& channel);
  /// What only a whole channel shows.
  static status check_channel(const channel_options& channel);

 private:
  std::set<std::string> taken_;
};

}  // namespace holdfast
