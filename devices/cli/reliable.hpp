// reliable: what verbs have in common when they speak HFP/1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "holdfast/endpoint.hpp"

namespace holdfast::cli {

/// The endpoint without its sign; a client that is asked to bind is a mistake.
status fill_endpoint(const std::string& text, endpoint_options& into);

/// No limit where none is given; rounded up to 1 ms.
milliseconds to_ms(const std::optional<std::uint64_t>& timeout_ns);

}  // namespace holdfast::cli
