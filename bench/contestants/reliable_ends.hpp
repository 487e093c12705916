// reliable_ends: both ends of a line as endpoints of the library: accepts, acks, replies.
#pragma once

#include <memory>
#include <string>

#include "bench/line/ends.hpp"
#include "holdfast/endpoint.hpp"

namespace holdfast::bench {

struct reliable_end {
  std::string endpoint;
  durability level = durability::disk;  ///< of what is sent
  std::string name{};       ///< queue, topic or service; empty: the channel's, "bench" as a topic
  unsigned in_flight = 64;  ///< requests; a reply is its request's accept
  unsigned topics = 1;      ///< of a publisher
};

std::unique_ptr<sender> produce_to(const reliable_end& at);
std::unique_ptr<receiver> work_for(const reliable_end& at);
std::unique_ptr<sender> reliable_publish_to(const reliable_end& at);
std::unique_ptr<receiver> reliable_subscribe_to(const reliable_end& at);
std::unique_ptr<sender> reliable_ask_at(const reliable_end& at);
/// Sends each request back.
std::unique_ptr<receiver> reliable_answer_at(const reliable_end& at);

}  // namespace holdfast::bench
