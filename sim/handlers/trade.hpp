// trade: what a process of one pattern does beside calling its handler: it receives, and tells the
// device what the handler said. One for each life of the process.
//
// Contract: one thread. The judge hears of everything that is received and settled.
#pragma once

#include <map>

#include "holdfast/sim.hpp"
#include "patterns/delivery_buffer.hpp"
#include "sim/handlers/stage.hpp"
#include "sim/wiring.hpp"

namespace holdfast::sim {

/// Where a trade is done; outlives it, but for the strings and numbers.
struct post {
  surroundings in;
  stage& of;
  wiring& wires;
  std::string who;
  std::uint32_t number = 1, life = 1;
};

/// A message to handle: a request for a replier, a delivery for the others.
struct job {
  message_key key;
  holdfast::delivery message;
  received_request request;
};

class trade {
 public:
  explicit trade(const post& at) : at_(at) {}
  trade(const trade&) = delete;
  trade& operator=(const trade&) = delete;
  virtual ~trade() = default;

  virtual client_stream& stream() = 0;
  /// A frame came, which the stream has not seen.
  void arrived(const multipart& frame, std::uint64_t left_ns);
  /// Whatever came is in the stream: time to learn what became of acks.
  virtual void look() = 0;
  virtual bool take(job& into) = 0;
  virtual simulated::handled call(const job& what, simulated::process& self) = 0;
  /// False if what was said is nothing that this trade can say.
  virtual bool settle(const job& what, const simulated::handled& said) = 0;

 protected:
  virtual std::uint32_t epoch() const = 0;
  virtual void hear(const multipart&, std::uint64_t) {}
  std::uint64_t now() const noexcept { return at_.in.time.now(); }
  void tell(const char* what, const message_key& key) {
    at_.in.told.tell(now(), what, at_.who, key);
  }
  /// Tells the judge of what was taken; its key.
  message_key came(channel_kind channel, const delivered_run& run, const message_parts& got,
                   std::uint32_t subscription = 0);
  /// A delivery that was taken, as its handler sees it.
  void hand(delivered_run& run, entry message, channel_kind channel, job& into,
            std::uint32_t subscription = 0);

  post at_;

 private:
  struct origin {
    std::uint64_t left_ns = 0;
    std::uint32_t epoch = 0;
  };
  std::map<const std::byte*, origin> from_;  // body received -> when and in which epoch it left
};

std::unique_ptr<trade> make_worker_trade(const post& at, const simulated::handler& call);
std::unique_ptr<trade> make_subscriber_trade(const post& at, const simulated::handler& call);
std::unique_ptr<trade> make_replier_trade(const post& at, const simulated::request_handler& call);

message_parts parts_of(const entry& message);
/// The same without its last part, which says which message it is.
void hide_last_part(bytes_view& lengths, bytes_view& data);

}  // namespace holdfast::sim
