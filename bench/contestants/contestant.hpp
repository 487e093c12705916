// contestant: one way from a producer to a consumer, and what must be known about it to judge its
// figures fairly. The lists of those that are always there; the brokers of others: peers.hpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "bench/line/run.hpp"

namespace holdfast::bench {

struct contestant {
  std::string path;        ///< "zmq_proxy tcp"
  std::string durability;  ///< what an accepted message survives, in the contestant's own words
  std::string settings;    ///< how it was set up, for people
  opener open;
};
using contestants = std::vector<contestant>;

/// The name of what all others are compared with.
inline constexpr std::string_view proxy_path = "zmq_proxy tcp";

// plain_lines.cpp: nothing but libzmq
contestant direct_line();
contestant proxy_line(const std::string& transport);  ///< PULL, PUSH; "tcp" or "ipc"
contestant fan_out_proxy_line();                      ///< XSUB, XPUB
contestant request_proxy_line(unsigned in_flight);    ///< ROUTER, DEALER

// bare_blocks.cpp: what no device that writes and forwards blocks can be cheaper than
contestant bare_blocks_line();

// holdfast_lines.cpp: the device's program at `program`
contestant plain_to_plain(const std::string& program, const std::string& peers,
                          const std::string& level);
contestant plain_to_reliable(const std::string& program, const std::string& level);
contestant reliable_to_reliable(const std::string& program, const std::string& level);
contestant reliable_fan_out(const std::string& program, const std::string& level);
contestant reliable_requests(const std::string& program, const std::string& level,
                             unsigned in_flight);

}  // namespace holdfast::bench
