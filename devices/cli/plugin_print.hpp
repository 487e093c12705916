// plugin_print: what the plugin verbs say, as text or as JSON.
//
// Contract: appends one line to `out`; one object a line in JSON.
#pragma once

#include <string>

#include "plugins/host/registry.hpp"

namespace holdfast::cli {

/// What `plugin check` found out.
struct plugin_verdict {
  unsigned round_trips = 0;  ///< documents that came back as they were
  unsigned declined = 0;     ///< documents it cannot express
  unsigned garbage = 0;      ///< broken inputs it answered, each with a failure or a document
};

void print_listed(const plugins::registry::listed& one, bool json, std::string& out);
void print_checked(const plugins::serializer_type& type, const plugin_verdict& verdict, bool json,
                   std::string& out);

}  // namespace holdfast::cli
