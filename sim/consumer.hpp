// worker, plain_consumer: applications that receive from a queue. A worker acks, refuses, hangs, is
// late or dies; a plain consumer takes what comes and takes it along when it dies.
//
// Contract: application.
#pragma once

#include <map>

#include "patterns/queue/assignment.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

struct worker_plan {
  std::uint32_t number = 1;
  std::string address;     ///< queue; empty: the default
  std::uint32_t line = 0;  ///< the queue's number, for places
  bool whole_blocks = true;
  std::uint32_t credit_messages = 64;
  std::uint64_t credit_bytes = 64 * 1024;
  manners ways;
  promise channel_level = promise::disk;
  connection link;
};

class worker final : public application {
 public:
  worker(const worker_plan& plan, surroundings in, std::uint64_t seed);
  ~worker() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t for_ns) override;

 private:
  struct life;
  void look(life& l);
  void take(life& l);
  void handle(life& l, const delivery_ticket& what, const message_key& key);
  void count_acks(life& l);

  worker_plan plan_;
  std::shared_ptr<life> now_;
  std::uint32_t lives_ = 0;
  std::uint64_t killed_ns_ = 0;  // the latest; 0 = never
};

/// A PULL socket and whoever reads it.
class plain_consumer final : public application {
 public:
  plain_consumer(std::uint32_t number, socket_id to, surroundings in, std::uint64_t seed);
  ~plain_consumer() override;

  void start() override;
  void die() override;
  void pause(std::uint64_t) override {}

 private:
  void receive(const multipart& frame, std::uint64_t left_ns);

  socket_id to_;
  line_id line_ = 0;
};

}  // namespace holdfast::sim
