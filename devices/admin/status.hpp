// status: what a device tells of itself, as JSON: the answer to `holdfast status` and to the admin
// socket. Counters count since the device was opened; the identity of each stream since its birth.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "devices/loop/device_parts.hpp"

namespace holdfast {

/// The whole state as one JSON object.
std::string make_status(const device_loop::parts& of, instant at);
/// The same for the network, in at most description_bytes_max: without the streams if it must be.
std::string make_description(const device_loop::parts& of, instant at);
/// Answers one admin request: "status" (or empty), "ping".
std::string answer_request(const device_loop::parts& of, std::string_view request, instant at);

}  // namespace holdfast
