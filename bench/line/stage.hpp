// stage: the memory that the processes of one measurement share: how far each is, and when what
// happened. The order of a measurement:
//
//   the producer greets until every consumer has heard it, sends messages to warm up, waits until
//   they all came; the parent takes its first look and gives the start; the producer sends for the
//   time asked, waits for its accepts and says how many it were; the consumers stop after so many;
//   the parent takes its second look.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "bench/line/times.hpp"
#include "bench/processes.hpp"

namespace holdfast::bench {

inline constexpr unsigned consumers_max = 16;

/// One consumer's way.
struct alignas(64) flow {
  std::atomic<std::uint64_t> received{0};  ///< messages, greetings not counted
  std::atomic<bool> open{false};           ///< it has heard a greeting
  std::atomic<bool> done{false};           ///< it has received and acked everything
  std::atomic<double> last{0};             ///< when
};

struct stage {
  std::atomic<std::uint64_t> warm_up{~0ull};      ///< messages that were only to warm up
  std::atomic<bool> warm{false}, started{false};  ///< said by the producer; by the parent
  std::atomic<double> began{0}, accepted{0};      ///< first message sent; last one accepted
  std::atomic<std::uint64_t> total{~0ull};        ///< messages, warm-up included; once it is known
  alignas(64) std::array<flow, consumers_max> flows;

  times timed;  ///< where the work asks for it

  std::atomic<bool> failed{false};
  std::array<char, 256> reason;
  void fail(const char* why);
};

std::uint64_t slowest(std::span<const flow> flows);

}  // namespace holdfast::bench
