// worker, plain_receiver_app: applications that receive. A worker acks, refuses, hangs, is late or
// dies; a plain receiver takes what comes and takes it along when it dies.
//
// Contract: one thread.
#pragma once

#include <map>
#include <memory>

#include "patterns/queue/assignment.hpp"
#include "sim/checker.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

struct worker_plan {
  std::uint32_t number = 1;
  bool whole_blocks = true;
  std::uint32_t credit_messages = 64;
  std::uint64_t credit_bytes = 64 * 1024;
  std::uint64_t work_max_ns = 5 * ms_ns;
  std::uint64_t hang_max_ns = 2 * second_ns;
  std::uint32_t nack_percent = 0, release_percent = 0, reject_percent = 0, hang_percent = 0,
                touch_percent = 0;
  promise channel_level = promise::disk;
  session_client_options session;
};

class worker {
 public:
  worker(worker_plan plan, scheduler& time, network& net, checker& judge, story& told,
         std::uint64_t seed);
  ~worker();

  void start();
  void die();
  void pause(std::uint64_t for_ns);
  /// From now on it acks whatever comes.
  void behave() noexcept { behaving_ = true; }
  std::string name() const { return "worker " + std::to_string(plan_.number); }

 private:
  struct life;
  void look(life& l);
  void take(life& l);
  void handle(life& l, const delivery_ticket& what, const message_key& key);
  void count_acks(life& l);

  worker_plan plan_;
  scheduler& time_;
  network& net_;
  checker& checker_;
  story& story_;
  random_source random_;
  std::shared_ptr<life> now_;
  std::uint32_t lives_ = 0;
  std::uint64_t generation_ = 0;
  bool behaving_ = false;
};

/// A PULL socket and whoever reads it.
class plain_consumer {
 public:
  plain_consumer(std::uint32_t number, scheduler& time, network& net, checker& judge, story& told,
                 std::uint64_t seed);
  ~plain_consumer();

  void start();
  void die();
  std::string name() const { return "plain consumer " + std::to_string(number_); }

 private:
  void receive(const multipart& frame, std::uint64_t left_ns);

  std::uint32_t number_;
  scheduler& time_;
  network& net_;
  checker& checker_;
  story& story_;
  random_source random_;
  line_id line_ = 0;
  std::shared_ptr<std::uint64_t> generation_ = std::make_shared<std::uint64_t>(0);
};

}  // namespace holdfast::sim
