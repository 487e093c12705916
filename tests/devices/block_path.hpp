// block_path: a producer, a device with its journal and a worker on real connections, all driven by
// one thread: what a message costs in each of them can be counted there. Only the journal's commit
// thread is beside it.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <span>
#include <string>
#include <utility>

#include "devices/endpoints/link.hpp"
#include "devices/loop/device_loop.hpp"
#include "patterns/outbox.hpp"
#include "patterns/queue/assignment.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {

class block_path {
 public:
  static constexpr std::size_t message_bytes = 64;

  block_path();
  ~block_path();

  // What is measured: one call of each, by whatever is around it.
  void submit(std::uint64_t messages);
  void turn_producer();
  void turn_device() { lab_->turn(ms_ns); }
  void turn_worker();
  /// Takes what has come, walks over its messages, acks them.
  void take();

  /// One batch from end to end: everything accepted, received, acked and settled.
  template <class Around>
  void pass(std::uint64_t messages, Around&& around);
  void pass(std::uint64_t messages) {
    pass(messages, [](const char*, auto&& call) { call(); });
  }
  std::uint64_t received() const noexcept { return received_; }
  std::uint64_t received_blocks() const noexcept { return received_blocks_; }
  std::uint64_t received_bytes() const noexcept { return received_bytes_; }

 private:
  struct endpoint_side {
    link wire;
    endpoint_side(const std::string& where, client_stream& stream);
    void start(const context& in) { wire.start(in, system_now()); }
    void turn();
  };
  std::string where() const;

  temporary_directory directory_;
  context zmq_;
  std::unique_ptr<device_loop> lab_;
  outbox box_;
  assignment work_;
  std::unique_ptr<endpoint_side> producer_, worker_;
  std::byte text_[message_bytes] = {};
  std::uint64_t received_ = 0, received_blocks_ = 0, received_bytes_ = 0;
};

template <class Around>
void block_path::pass(std::uint64_t messages, Around&& around) {
  const std::uint64_t all = received_ + messages;
  around("producer", [&] { submit(messages); });
  const std::uint64_t until = monotonic_now() + 60 * second_ns;
  while (received_ < all || box_.outstanding() > 0 || !work_.acks_durable()) {
    REQUIRE(monotonic_now() < until);
    around("producer", [&] { turn_producer(); });
    around("device", [&] { turn_device(); });
    around("worker", [&] {
      turn_worker();
      take();
      turn_worker();
    });
  }
}

}  // namespace holdfast::testing
