// options: what the public options of endpoints mean to the machines behind them.
#pragma once

#include <chrono>

#include "devices/endpoints/link.hpp"
#include "holdfast/producer.hpp"

namespace holdfast {

/// Checks what endpoints share; `id` empty for unnamed.
result<link_options> make_link_options(const endpoint_options& options, std::string id);
result<link_options> make_link_options(const queue_endpoint_options& options, std::string id);

using deadline = std::chrono::steady_clock::time_point;
deadline deadline_after(milliseconds timeout) noexcept;

/// What a call says whose time ran out.
status out_of_time(milliseconds timeout, const char* what);

}  // namespace holdfast
