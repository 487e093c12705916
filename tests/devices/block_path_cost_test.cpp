// What a message costs on the block path, beside time: calls of operator new, and instructions,
// which instructions_test.py has counted around the three functions below.
#include <doctest/doctest.h>

#include <string_view>

#include "tests/allocations.hpp"
#include "tests/devices/block_path.hpp"

namespace holdfast::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool judged = false;  // sanitizers allocate on their own
#else
constexpr bool judged = true;
#endif
constexpr std::uint64_t batch = 8192;
constexpr int warm_up = 64, rounds = 64;  // past what is kept in memory, and the growth of tables

// Of a block, in the three processes and the commit thread together: references, records, writes,
// sums; in a full block one for more than a hundred messages.
constexpr std::uint64_t allocations_max = 30;

struct counted {
  std::uint64_t producer = 0, device = 0, worker = 0;
  std::uint64_t& of(std::string_view who) {
    return who == "producer" ? producer : who == "device" ? device : worker;
  }
};

}  // namespace

// Their names are what the instructions are collected by; each counts for itself, as a compiler
// makes one of functions that are the same.
static counted calls;
template <class Call>
[[gnu::noinline]] void measured_producer(Call&& call) {
  ++calls.producer;
  call();
}
template <class Call>
[[gnu::noinline]] void measured_device(Call&& call) {
  ++calls.device;
  call();
}
template <class Call>
[[gnu::noinline]] void measured_worker(Call&& call) {
  ++calls.worker;
  call();
}

TEST_CASE("block path: allocations are of blocks, not of messages") {
  block_path path;
  for (int i = 0; i < warm_up; ++i) path.pass(batch);
  counted seen;
  const std::uint64_t before_blocks = path.received_blocks();
  const std::uint64_t everywhere = allocations_of_all_threads();
  for (int i = 0; i < rounds; ++i)
    path.pass(batch, [&](const char* who, auto&& call) {
      const std::uint64_t before = allocations_of_this_thread();
      call();
      seen.of(who) += allocations_of_this_thread() - before;
    });
  const std::uint64_t blocks = path.received_blocks() - before_blocks;
  const std::uint64_t all = allocations_of_all_threads() - everywhere;
  CHECK(path.received() == (warm_up + rounds) * batch);
  CHECK(path.received_bytes() == path.received() * block_path::message_bytes);
  MESSAGE((rounds * batch), " messages of ", block_path::message_bytes, " B in ", blocks,
          " blocks: operator new called by ", "the producer ", seen.producer, ", the device ",
          seen.device, ", the worker ", seen.worker, ", all threads ", all, " times");
  if (judged) CHECK(all <= blocks * allocations_max);
}

TEST_CASE("block path: instructions" * doctest::skip()) {
  block_path path;
  for (int i = 0; i < 8; ++i) path.pass(batch);
  for (int i = 0; i < 8; ++i)
    path.pass(batch, [](std::string_view who, auto&& call) {
      if (who == "producer") return measured_producer(call);
      who == "device" ? measured_device(call) : measured_worker(call);
    });
  CHECK(path.received() == 16 * batch);
}

}  // namespace holdfast::testing
