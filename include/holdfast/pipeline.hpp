// pipeline: the reliable endpoints of push/pull. A producer sends messages into a queue of a
// Holdfast device and learns which are durable; a worker receives messages of a queue and says what
// became of each.
//
// Guarantees: docs/guarantees.md, "pipeline". A message is accepted once; it is delivered at least
// once; the same message comes again only where its ack was not durable.
// Threads, waiting, reconnecting: endpoint.hpp.
#pragma once

#include <memory>
#include <string>

#include "holdfast/delivery.hpp"
#include "holdfast/producer.hpp"

namespace holdfast {

struct worker_options : queue_endpoint_options {
  /// true: whole blocks, for throughput. false: messages are shared out one by one, for work that
  /// takes long.
  bool batches = true;
  /// Messages delivered here and not settled, at most. 0: 16 384 with batches, else 256.
  std::uint32_t credit_messages = 0;
  /// Bytes delivered and not received yet, at most. One message always passes.
  std::uint64_t credit_bytes = 8ull << 20;
};

/// Receives messages of one queue and settles each: ack (done), nack (failed, again later), release
/// (not touched, again at once), reject (never again: dead letter). A message is leased to this
/// worker (30 s unless the device says otherwise); touch() extends that. When a session is lost the
/// device hands out again what was not acked, and settling those here is errc::stale. Move-only.
class worker {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<worker> open(const worker_options& options);
  worker(worker&&) noexcept;
  worker& operator=(worker&&) noexcept;
  /// Leaves in good order: what was not acked is handed out again at once.
  ~worker();

  /// The next message. Errors: timeout, would_block, fenced, closed, denied.
  result<delivery> receive(milliseconds timeout = forever);
  /// All that is here of the next block.
  result<batch> receive_batch(milliseconds timeout = forever);

  /// Done. Acks travel gathered, 2 ms later at most. Errors: stale, not_found (settled already).
  status ack(const delivery& what);
  /// Everything in the batch that is not settled yet.
  status ack(const batch& what);
  /// Failed: again after `delay` (0: the device's back-off), or dead after too many attempts.
  /// `reason`: at most 1 KiB.
  status nack(const delivery& what, milliseconds delay = milliseconds(0), std::string reason = {});
  /// Handed back unharmed: does not count as a failure.
  status release(const delivery& what);
  /// To the dead letters now.
  status reject(const delivery& what, std::string reason);
  /// Still working: the lease begins anew, or ends `extend` from now.
  status touch(const delivery& what, milliseconds extend = milliseconds(0));

  /// Waits until all acks given are durable at the device. stale: some were lost with their session
  /// since the last flush, and their messages come again.
  status flush(milliseconds timeout = forever);

  /// Readable while receive() would not wait, and after a final failure. Never read from it.
  int fd() const;
  /// flush(), then as the destructor. Later calls are errc::closed.
  status close(milliseconds timeout = forever);

 private:
  struct state;
  explicit worker(std::unique_ptr<state> made) noexcept;
  status settle(const delivery& what, std::uint8_t kind, milliseconds delay, std::string reason);
  std::unique_ptr<state> state_;
};

}  // namespace holdfast
