// What a sidecar is made of: filled from a command line, taken by devices/sidecar/sidecar.hpp.
//
// Contract: plain values; nothing is opened here.
#pragma once

#include <string>

#include "devices/device_options.hpp"

namespace holdfast {

struct sidecar_options {
  enum class side { pull, sub, rep, push, pub, worker };
  side what = side::pull;   ///< the kind of socket the application's endpoint gets
  std::string application;  ///< endpoint; without a sign it is bound
  std::string far;          ///< reliable endpoint of the far device
  std::string far_address;  ///< queue or service there; empty: the channel's default
  std::string durable;      ///< pub: name of the one SUB's subscription here; it outlives the SUB
  std::uint64_t deadline_ns = 60 * second_ns;  ///< rep, worker: of a request that says none
  std::uint64_t attempt_ns = 5 * second_ns;    ///< worker: a REP is given so long for a request
  device_options device;                       ///< data, limits; its channels are made here
  channel_settings channel;                    ///< durability, max_message
};

}  // namespace holdfast
