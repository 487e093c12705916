// reliable_ends: both ends of a line as endpoints of the library: accepts, acks, replies.
#pragma once

#include <memory>
#include <string>

#include "bench/line/ends.hpp"
#include "holdfast/endpoint.hpp"

namespace holdfast::bench {

std::unique_ptr<sender> produce_to(const std::string& endpoint, durability level);
std::unique_ptr<receiver> work_for(const std::string& endpoint);
std::unique_ptr<sender> reliable_publish_to(const std::string& endpoint, durability level);
std::unique_ptr<receiver> reliable_subscribe_to(const std::string& endpoint);
/// At most `in_flight` requests open; a reply is its request's accept.
std::unique_ptr<sender> reliable_ask_at(const std::string& endpoint, durability level,
                                        unsigned in_flight);
/// Sends each request back.
std::unique_ptr<receiver> reliable_answer_at(const std::string& endpoint, unsigned in_flight);

}  // namespace holdfast::bench
