// pubsub: the reliable endpoints of publish/subscribe. A publisher sends messages to a channel of a
// Holdfast device and learns which are durable; a subscriber receives those whose first part, the
// topic, begins with one of its prefixes, in one order, from where it asks.
//
// Guarantees: docs/guarantees.md, "pubsub". A message is accepted once. A subscriber sees each
// message once and in order for as long as the object lives, whatever happens to the connection and
// the device; a durable subscription goes on behind its last ack when the program comes back, so
// what was shown and not acked comes again. What retention took before it was read is told, with
// exact numbers.
// Threads, waiting, reconnecting: endpoint.hpp.
#pragma once

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/delivery.hpp"
#include "holdfast/producer.hpp"

namespace holdfast {

struct publisher_options : endpoint_options {
  /// As of a producer: a named publisher's numbers go on after a restart.
  std::string id;
  durability level = durability::disk;
  /// Unaccepted at most; the device may grant less. One message always passes.
  std::uint32_t window_messages = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
};

/// Sends messages into one channel. Move-only. Everything but the topic is as with a producer.
class publisher {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<publisher> open(const publisher_options& options);

  /// A message of the topic and the parts behind it; gives its number.
  result<std::uint64_t> send(std::string_view topic, std::initializer_list<part_view> parts,
                             milliseconds timeout = forever);
  result<std::uint64_t> send(std::string_view topic, std::string_view text,
                             milliseconds timeout = forever) {
    return send(topic, {as_part(text)}, timeout);
  }
  /// A message whose first part is its topic.
  result<std::uint64_t> send(std::span<const part_view> parts, milliseconds timeout = forever) {
    return to_.send(parts, timeout);
  }
  result<std::uint64_t> send(std::initializer_list<part_view> parts,
                             milliseconds timeout = forever) {
    return to_.send(parts, timeout);
  }
  result<std::uint64_t> send_at(std::uint64_t number, std::span<const part_view> parts,
                                milliseconds timeout = forever) {
    return to_.send_at(number, parts, timeout);
  }

  status flush(milliseconds timeout = forever) { return to_.flush(timeout); }
  std::uint64_t accepted_through() const { return to_.accepted_through(); }
  std::uint64_t unaccepted() const { return to_.unaccepted(); }
  std::vector<refusal> take_refusals() { return to_.take_refusals(); }
  int fd() const { return to_.fd(); }
  status close(milliseconds timeout = forever) { return to_.close(timeout); }

 private:
  explicit publisher(producer to) noexcept : to_(std::move(to)) {}
  producer to_;
};

/// Where a subscription begins that the device does not know yet.
class start_point {
 public:
  using time_point = std::chrono::system_clock::time_point;
  static start_point next() noexcept { return {1, 0}; }   ///< what comes from now on
  static start_point first() noexcept { return {2, 0}; }  ///< the oldest message kept
  static start_point last() noexcept { return {3, 0}; }   ///< the newest message there is
  static start_point sequence(std::uint64_t number) noexcept { return {4, number}; }
  /// Where the durable subscription is that the device knows; one it does not know is not_found.
  static start_point known() noexcept { return {6, 0}; }
  /// The first message the device took at or after `when`.
  static start_point time(time_point when) noexcept;
  std::uint8_t kind() const noexcept { return kind_; }
  std::uint64_t at() const noexcept { return at_; }

 private:
  start_point(std::uint8_t kind, std::uint64_t at) noexcept : kind_(kind), at_(at) {}
  std::uint8_t kind_;
  std::uint64_t at_;
};

struct subscriber_options : endpoint_options {
  /// Name of the subscription, 1 to 255 bytes: the device keeps how far it is. One subscriber at a
  /// time; another one waits until that one is gone. Empty: the subscription ends with the object.
  std::string durable;
  /// Where it begins; a durable subscription that is known goes on where it was.
  start_point start = start_point::next();
  /// At most 256, of 255 bytes; a message comes if its first part begins with one of them. None:
  /// everything.
  std::vector<std::string> prefixes;
  /// Received and not taken, at most. One message always passes.
  std::uint32_t credit_messages = 16'384;
  std::uint64_t credit_bytes = 8ull << 20;
};

/// Messages that will never come.
struct gap_notice {
  enum class reason : std::uint8_t {
    retention = 1,   ///< kept no longer when this subscription came to them
    corrupt = 2,     ///< unreadable on the device's disk
    power_loss = 3,  ///< lost with the device's power; the level of durability says how many
  };
  std::uint64_t first = 0, count = 0;
  reason cause{};
};

/// Receives messages of one channel. Acks are cumulative: an ack is for the message and all before
/// it; they matter to durable subscriptions alone. Move-only.
class subscriber {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<subscriber> open(const subscriber_options& options);
  subscriber(subscriber&&) noexcept;
  subscriber& operator=(subscriber&&) noexcept;
  /// Leaves in good order. A durable subscription stays, at its last ack.
  ~subscriber();

  /// The next message. Errors: timeout, would_block, fenced, closed, denied, not_found (the device
  /// has lost this durable subscription, and its journal with it).
  result<delivery> receive(milliseconds timeout = forever);
  /// All that is here of the next block.
  result<batch> receive_batch(milliseconds timeout = forever);

  /// This message and all before it are done with. Acks travel gathered, 2 ms later at most.
  status ack(const delivery& what);
  status ack(const batch& what);
  /// Waits until the last ack is durable at the device.
  status flush(milliseconds timeout = forever);

  /// Sequence behind the last message received; 0 before the device has answered the first time.
  /// With start_point::sequence() a later subscription goes on there.
  std::uint64_t position() const;
  /// Waits until the device has answered: what is published from now on is seen.
  status wait_subscribed(milliseconds timeout = forever);
  /// What is missing, in order, since the last call. A durable subscription is told of it again in
  /// its next life unless it was taken here and the message before it, or one behind it, is acked.
  std::vector<gap_notice> take_gaps();

  /// Readable while receive() would not wait, or there is a gap to take, and after a final failure.
  /// Never read from it.
  int fd() const;
  /// flush(), then as the destructor. Later calls are errc::closed.
  status close(milliseconds timeout = forever);

 private:
  struct state;
  explicit subscriber(std::unique_ptr<state> made) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace holdfast
