// producer: an application that sends into a queue or a pub/sub channel. It can be killed and
// started again under the same name, and stopped while a newer run of it has taken its place.
//
// Contract: application.
#pragma once

#include <functional>
#include <map>

#include "patterns/outbox.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

enum class producer_kind : std::uint8_t {
  unnamed,   ///< each run is somebody new
  fresh,     ///< named; each run goes on behind the last number with messages of its own
  replayer,  ///< named; a run makes the same messages again from where it knows of accepts
  plain,     ///< a PUSH or PUB socket
};

struct producer_plan {
  std::uint32_t number = 1;
  producer_kind kind = producer_kind::unnamed;
  channel_kind channel = channel_kind::pipeline;
  std::string address;           ///< queue; empty: the default
  std::uint64_t messages = 100;  ///< in all
  std::uint32_t burst_max = 8;
  std::uint64_t pause_max_ns = 50 * ms_ns;  ///< between bursts
  std::uint32_t largest = 1024;
  level need = level::disk;
  connection link;
  std::function<message_parts(const message_key&)> content;  ///< none: make_message()
};

class producer final : public application {
 public:
  producer(const producer_plan& plan, surroundings in, std::uint64_t seed);
  ~producer() override;

  void start() override;
  void die() override;
  void be_replaced() override;
  void pause(std::uint64_t for_ns) override;
  /// Everything was sent, and all of it accepted.
  bool done() const override;

 private:
  struct life {
    explicit life(const outbox_options& options) : box(options) {}
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
  std::shared_ptr<life> now_;
  std::vector<std::shared_ptr<life>> former_;  // stopped, fenced or dead
  line_id plain_line_ = 0;
  std::uint32_t lives_ = 0;
  std::uint64_t made_ = 0;            // messages so far
  std::uint64_t known_accepted_ = 0;  // replayer: what its own disk says
};

}  // namespace holdfast::sim
