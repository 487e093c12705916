// plain_ends: both ends of a line as plain sockets, which know no accepts and no acks.
#pragma once

#include <memory>
#include <string>

#include "bench/line/ends.hpp"

namespace holdfast::bench {

struct plain_end {
  std::string endpoint;
  std::size_t bytes = 0;
  bool bind = false;
  std::string topic = "bench";
  unsigned topics = 1;  ///< of a publisher
};

std::unique_ptr<sender> push_to(const plain_end& at);
std::unique_ptr<receiver> pull_from(const plain_end& at);
std::unique_ptr<sender> publish_to(const plain_end& at);
std::unique_ptr<receiver> subscribe_to(const plain_end& at);
/// A DEALER with at most `in_flight` requests open; a reply is its request's accept.
std::unique_ptr<sender> ask_at(const plain_end& at, unsigned in_flight);
/// A REP that sends each request back.
std::unique_ptr<receiver> answer_at(const plain_end& at);

}  // namespace holdfast::bench
