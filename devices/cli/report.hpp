// report: how every verb ends and what it says then.
//
// Contract: exit statuses are fixed, scripts rely on them. Results go to standard output, reports
// to standard error, each line begun with "holdfast: ".
#pragma once

#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast::cli {

enum exit_status : int { done = 0, failed = 1, usage = 2, corruption = 3 };

/// Writes "holdfast: text" to standard error.
void complain(std::string_view text);
/// The same for a failure; returns the exit status it deserves (corrupt: 3, invalid: 2, else 1).
int fail(const status& why);
int fail_usage(std::string_view text);

}  // namespace holdfast::cli
