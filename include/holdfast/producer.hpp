// producer: sends messages and learns which are durable. The sending endpoint of push/pull
// (pipeline.hpp); a publisher (pubsub.hpp) is one for topics.
//
// Guarantees: docs/guarantees.md, "pipeline". A message is accepted once, in the order sent.
// Threads, waiting, reconnecting: endpoint.hpp.
#pragma once

#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "holdfast/endpoint.hpp"
#include "holdfast/message.hpp"

namespace holdfast {

/// What producer and worker have in common.
struct queue_endpoint_options : endpoint_options {
  /// The queue in the channel; empty: the channel's default. At most 255 bytes.
  std::string queue;
};

struct producer_options : queue_endpoint_options {
  /// Name of this producer, 1 to 255 bytes, or empty. A named producer's numbers go on after a
  /// restart, so that send_at() can be repeated without duplicates; a second instance of the same
  /// name takes over and fences the first. An unnamed one is forgotten when it is closed.
  std::string id;
  durability level = durability::disk;
  /// A device that has lost its journal knows nothing of a named producer. true: the numbers go on
  /// here, shifted, until the program ends. false: every later call fails (stale).
  bool renumber = true;
  /// Unaccepted at most; the device may grant less. One message always passes.
  std::uint32_t window_messages = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
};

/// Sends messages into one queue. Move-only. Final failures (fenced, no common protocol version,
/// not allowed here) come back from every later call.
class producer {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<producer> open(const producer_options& options);
  producer(producer&&) noexcept;
  producer& operator=(producer&&) noexcept;
  /// Leaves at once: what is not accepted yet may be lost. Call flush() before.
  ~producer();

  /// Copies the message, and gives its number: 1, 2, 3, ... (a named producer goes on from its last
  /// run, so its first send waits for the first session). Waits while the window is full.
  /// Errors: timeout, would_block, too_large, invalid (no parts, too many), fenced, closed.
  result<std::uint64_t> send(std::span<const part_view> parts, milliseconds timeout = forever);
  result<std::uint64_t> send(std::initializer_list<part_view> parts,
                             milliseconds timeout = forever) {
    return send(std::span<const part_view>(parts.begin(), parts.size()), timeout);
  }
  /// A message of one part.
  result<std::uint64_t> send(std::string_view text, milliseconds timeout = forever) {
    return send({as_part(text)}, timeout);
  }
  /// Sends message `number`, for programs that make the same messages again after a restart: one
  /// that was taken before is done at once. A hole is `invalid`.
  result<std::uint64_t> send_at(std::uint64_t number, std::span<const part_view> parts,
                                milliseconds timeout = forever);
  /// As send_at(), for a number that has no message (any more): nobody receives anything for it.
  /// `reason`: kept in its place, at most 255 bytes.
  result<std::uint64_t> skip_at(std::uint64_t number, std::string_view reason,
                                milliseconds timeout = forever);
  /// The number that comes next; a named producer's is known once its first session is there.
  result<std::uint64_t> next_number(milliseconds timeout = forever);

  /// Waits until everything sent is accepted. If messages were refused since the last
  /// take_refusals(), fails with the first one's code.
  status flush(milliseconds timeout = forever);
  /// Every message up to this number is accepted, or was refused.
  std::uint64_t accepted_through() const;
  /// Sent and neither accepted nor refused.
  std::uint64_t unaccepted() const;
  /// The refusals since the last call, in the order they came.
  std::vector<refusal> take_refusals();

  /// Readable when something changed since the last call on this object that looked: more is
  /// accepted, a refusal, a final failure. Never read from it. Valid while the object lives.
  int fd() const;
  /// flush(), then leaves the device in good order. Later calls are errc::closed.
  status close(milliseconds timeout = forever);

 private:
  struct state;
  explicit producer(std::unique_ptr<state> made) noexcept;
  std::unique_ptr<state> state_;
};

}  // namespace holdfast
