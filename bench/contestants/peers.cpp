#include "bench/contestants/peers.hpp"

namespace holdfast::bench {

contestants peer_brokers() {
  contestants all;
  [[maybe_unused]] const auto add = [&all](contestants some) {
    for (contestant& one : some) all.push_back(std::move(one));
  };
#ifdef HOLDFAST_BENCH_NATS
  add(nats_brokers());
#endif
#ifdef HOLDFAST_BENCH_REDIS
  add(redis_brokers());
#endif
#ifdef HOLDFAST_BENCH_RABBITMQ
  add(rabbitmq_brokers());
#endif
#ifdef HOLDFAST_BENCH_MOSQUITTO
  add(mosquitto_brokers());
#endif
  return all;
}

}  // namespace holdfast::bench
