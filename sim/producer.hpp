// producer: an application that sends. It can be killed and started again under the same name, and
// stopped while a newer run of it has taken its place.
//
// Contract: one thread. What it makes follows from its number, so the checker knows it.
#pragma once

#include <map>
#include <memory>

#include "patterns/outbox.hpp"
#include "sim/checker.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

enum class producer_kind : std::uint8_t {
  unnamed,   ///< each run is somebody new
  fresh,     ///< named; each run goes on behind the last number with messages of its own
  replayer,  ///< named; a run makes the same messages again from where it knows of accepts
  plain,     ///< a PUSH socket
};

struct producer_plan {
  std::uint32_t number = 1;
  producer_kind kind = producer_kind::unnamed;
  std::uint64_t messages = 100;  ///< in all
  std::uint32_t burst_max = 8;
  std::uint64_t pause_max_ns = 50 * ms_ns;  ///< between bursts
  std::uint32_t largest = 1024;
  level need = level::disk;
  session_client_options session;
};

class producer {
 public:
  producer(producer_plan plan, scheduler& time, network& net, checker& judge, story& told,
           std::uint64_t seed);
  ~producer();

  void start();
  /// Killed at once; starts again after a while.
  void die();
  /// A new run starts while this one is stopped; it comes back later and must find itself fenced.
  void be_replaced();
  void pause(std::uint64_t for_ns);
  /// Everything was sent, and all of it accepted.
  bool done() const;
  std::string name() const;
  producer_kind kind() const noexcept { return plan_.kind; }

 private:
  struct life {
    explicit life(outbox_options options) : box(std::move(options)) {}
    std::uint32_t number = 0;
    outbox box;
    std::unique_ptr<wiring> wires;
    std::uint64_t next = 1;                         // unnamed: before the session is known
    std::map<std::uint64_t, message_key> awaiting;  // submitted, not accepted
  };

  void begin();
  void end_soon();
  void tick();
  bool submit(life& l);
  bool submit_plain();
  result<std::uint64_t> hand_in(life& l, std::uint64_t number, const message_key& key);
  void look(life& l);
  void tick_later();
  message_key key_of(const life& l, std::uint64_t number) const;

  producer_plan plan_;
  scheduler& time_;
  network& net_;
  checker& checker_;
  story& story_;
  random_source random_;
  std::shared_ptr<life> now_;
  std::vector<std::shared_ptr<life>> former_;  // stopped, fenced or dead
  line_id plain_line_ = 0;
  std::uint32_t lives_ = 0;
  std::uint64_t made_ = 0;            // messages so far
  std::uint64_t known_accepted_ = 0;  // replayer: what its own disk says
  std::uint64_t generation_ = 0;
};

}  // namespace holdfast::sim
