// own_ends: the ends of a line that was there before: of any pattern, each a plain socket or an
// endpoint of the library.
#pragma once

#include <string>

#include "bench/line/ends.hpp"
#include "bench/line/run.hpp"
#include "holdfast/endpoint.hpp"

namespace holdfast::bench {

struct own_line {
  enum class kind : std::uint8_t { pipeline, pubsub, reqrep };
  struct end {
    std::string endpoint;  ///< with its sign, or without
    bool plain = false;
  };
  kind pattern = kind::pipeline;
  end to, from;
  std::string name;  ///< queue, topic or service; empty: the channel's, "bench" as a topic
  durability level = durability::disk;
  unsigned in_flight = 64;  ///< requests
};

/// Gives up where a reliable end is asked to bind.
opener opener_of(const own_line& line);

}  // namespace holdfast::bench
