// measure: what the benchmarks of a line have in common: their options, how messages and CPU time
// are counted while the line flows, and the row that is printed.
//
// Contract: as processes.hpp: POSIX, and a failure ends the program.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "bench/processes.hpp"

namespace holdfast::bench {

struct options {
  double seconds = 3;                                  ///< each measurement
  std::vector<std::size_t> sizes{64, 1024};            ///< bytes of a message
  std::vector<std::string> levels{"process", "disk"};  ///< of the device's durability
  std::string device;                                  ///< its program
};
/// --seconds S, --sizes 64,1024,..., --levels process,disk
options parse(int argc, char** argv, options defaults = {});

struct figures {
  double per_second = 0;
  double sender_us = 0, middle_us = 0, receiver_us = 0;  ///< CPU time per message
};

/// Waits until every flow moves, then measures over the time asked. `flows`: what each way through
/// the line has received; a message has passed once it passed all of them, so figures are means
/// over the flows, and the receivers' one receiver's.
figures measure(const std::vector<counters*>& flows, const child& sender, const child& middle,
                const std::vector<child>& receivers, double seconds);

/// Messages that may be under way: enough to keep everybody busy, little enough to stay a flow.
std::uint64_t ahead_of(std::size_t bytes);

/// Runs `holdfast PATTERN` with one reliable endpoint.
child start_device(const options& chosen, const std::string& pattern, const std::string& data,
                   const std::string& endpoint, const std::string& level);

/// At each size a row of the proxy, and one of the device at each level with its ratio to that.
void compare(const options& chosen, const std::function<figures(std::size_t bytes)>& proxy,
             const std::function<figures(std::size_t bytes, const std::string& level)>& device);

}  // namespace holdfast::bench
