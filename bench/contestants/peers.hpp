// peers: brokers of others as contestants, each with the settings that are fairest to it. Those
// whose client library was there at build time; their servers are started here, on loopback, with
// their data in a scratch directory, and are gone with the measurement.
#pragma once

#include "bench/contestants/contestant.hpp"

namespace holdfast::bench {

/// All there are, in a fixed order.
contestants peer_brokers();

contestants nats_brokers();       ///< nats.cpp
contestants redis_brokers();      ///< redis.cpp
contestants rabbitmq_brokers();   ///< rabbitmq.cpp
contestants mosquitto_brokers();  ///< mosquitto.cpp

}  // namespace holdfast::bench
