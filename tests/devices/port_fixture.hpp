// What ports on real sockets are tested with: an engine of fakes behind them.
#pragma once

#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "devices/loop/engine.hpp"
#include "devices/transport/context.hpp"
#include "tests/devices/loop_fakes.hpp"
#include "tests/take.hpp"

namespace holdfast::testing {

inline constexpr std::uint64_t patience_ns = 10 * second_ns;

struct port_fixture {
  memory_log journal;
  catalog names;
  memory_outlet out;
  engine core{journal, names, out, nullptr};
  scripted_pattern* machine = nullptr;
  context zmq = take(context::open());
  peer_id next_peer = 1;

  port_fixture() {
    auto made = std::make_unique<scripted_pattern>();
    machine = made.get();
    core.add_channel("work", std::move(made));
    core.start({1, 1});
  }
};

}  // namespace holdfast::testing
