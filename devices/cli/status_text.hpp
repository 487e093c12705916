// status_text: a device's status, a JSON object, as lines for people.
#pragma once

#include <string>
#include <string_view>

#include "holdfast/status.hpp"

namespace holdfast::cli {

/// Every queue with where its messages are, every consumer with what it holds. Names figures that
/// are not zero, and says so when `in` is not the sum of the others.
result<std::string> status_text(std::string_view json);

}  // namespace holdfast::cli
