// subscriber: an application that reads a pub/sub channel, under a durable name or for as long as
// it lives. It acks what it was shown, late and in steps; it can be killed and come back.
//
// Contract: application.
#pragma once

#include <map>

#include "patterns/pubsub/subscriber_stream.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

struct subscriber_plan {
  std::uint32_t number = 1;
  bool durable = false;
  start_at from = start_at::next;
  std::uint32_t topic = 0;  ///< the publisher it wants to hear; 0 = all
  std::uint32_t credit_messages = 64;
  std::uint64_t credit_bytes = 64 * 1024;
  std::uint64_t work_max_ns = 5 * ms_ns;
  promise channel_level = promise::disk;
  connection link;
};

class subscriber final : public application {
 public:
  subscriber(const subscriber_plan& plan, surroundings in, std::uint64_t seed);
  ~subscriber() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t for_ns) override;

 private:
  struct life;
  void look(life& l);
  void take(life& l);
  void ack_later(life& l, std::uint64_t sequence);
  void begin_anew();

  subscriber_plan plan_;
  std::string topic_;
  std::shared_ptr<life> now_;
  std::uint32_t subscription_ = 0;  // for the judge; another one when the device lost it
  std::uint32_t incarnation_ = 0;   // part of a durable name, likewise
  std::uint32_t named_ = 0;  // the subscription that the device said it knows, and when it did:
  std::uint64_t named_ns_ = 0;
};

}  // namespace holdfast::sim
