// reqrep: the reliable endpoints of request-reply. A requester asks services of a Holdfast device
// and gets a reply to each request; a replier takes the requests of one service and answers them.
//
// Guarantees: docs/guarantees.md, "reqrep". A request the device accepted is answered once, by one
// reply, to the one who asked: by a worker, or by the device where the deadline passed or all
// attempts failed. A worker that vanishes loses its request to another, so work may be done twice;
// after a stored reply it is never done again. Asking again with the same id brings that reply.
// Threads, waiting, reconnecting: endpoint.hpp.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "holdfast/delivery.hpp"
#include "holdfast/endpoint.hpp"

namespace holdfast {

using request_id = std::array<std::byte, 16>;

struct requester_options : endpoint_options {
  /// Name of this requester, 1 to 255 bytes, or empty. Only a named one gets, after a restart, the
  /// replies to the requests of its earlier run, by asking again with their ids.
  std::string id;
  durability level = durability::disk;
  /// Waiting for replies at most, in each service. One message always passes.
  std::uint32_t requests_max = 65'536;
  std::uint64_t window_bytes = 16ull << 20;
  /// false: a reply stays at the device, and its id here, until forget(): for programs that must
  /// not lose it after they took it. Replies of an earlier run wait until their ids are asked
  /// again.
  bool close_when_taken = true;
};

struct request_options {
  /// From now on; then the request is given up, here and at the device. At most a year.
  milliseconds deadline{60'000};
  /// Failed ones at most (a worker gone, rejected or out of time); 0: what the channel says. The
  /// device waits longer before each.
  std::uint16_t attempts = 0;
  /// Of this request; none: drawn at random.
  std::optional<request_id> id;
};

/// Names a request that was asked.
class request_ticket {
 public:
  request_ticket() noexcept = default;
  const request_id& id() const noexcept { return id_; }

 private:
  friend class requester;
  request_id id_{};
  std::uint32_t service_ = 0;
};

/// A reply. Copies are cheap; the bytes live as long as any copy does.
class received_reply {
 public:
  /// Its parts. Views are valid while this reply (or a copy) lives.
  const message_view& parts() const noexcept { return parts_; }
  std::string_view text() const noexcept { return as_text(parts_[0]); }
  /// 200 ok. From the device: 410 this id was answered and closed before, 500 the workers failed (a
  /// part says why), 501 unknown, 503 full, 504 the deadline passed, 507 beyond the limits of the
  /// service. Workers may use others.
  std::uint16_t status() const noexcept { return status_; }
  bool ok() const noexcept { return status_ == 200; }
  const request_id& id() const noexcept { return id_; }

 private:
  friend class requester;
  std::shared_ptr<const void> keep_;
  message_view parts_;
  request_id id_{};
  std::uint16_t status_ = 0;
};

/// Asks services. Many requests may be open at once. Move-only.
class requester {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<requester> open(const requester_options& options);
  requester(requester&&) noexcept;
  requester& operator=(requester&&) noexcept;
  /// Leaves at once: requests that are not accepted yet may be lost.
  ~requester();

  /// Asks and waits for the reply until the deadline. `service`: at most 255 bytes; empty: the
  /// channel's default. Errors: expired, too_large, invalid, in_use (this id is open here), fenced,
  /// closed, denied.
  result<received_reply> request(std::string_view service, std::span<const part_view> parts,
                                 const request_options& options = {});
  result<received_reply> request(std::string_view service, std::string_view text,
                                 const request_options& options = {}) {
    const part_view part = as_part(text);
    return request(service, {&part, 1}, options);
  }

  /// Asks and returns at once, or after `timeout` where too much is open already. Every ticket ends
  /// with take(), next() or forget().
  result<request_ticket> ask(std::string_view service, std::span<const part_view> parts,
                             const request_options& options = {}, milliseconds timeout = forever);
  result<request_ticket> ask(std::string_view service, std::string_view text,
                             const request_options& options = {}, milliseconds timeout = forever) {
    const part_view part = as_part(text);
    return ask(service, {&part, 1}, options, timeout);
  }
  /// The reply to that request, once. timeout, would_block: not yet; any other error is final.
  result<received_reply> take(const request_ticket& of, milliseconds timeout = forever);
  /// The next reply that came to any request, oldest first. Requests that fail or expire are not
  /// told here, but by take().
  result<received_reply> next(milliseconds timeout = forever);
  /// Nobody waits for this reply any more, or, without close_when_taken, needs it any more.
  void forget(const request_ticket& of);
  /// Requests that did not end yet.
  std::size_t open_requests() const;

  /// Readable while next() would not wait, and after a final failure. Never read from it.
  int fd() const;
  /// Waits until every request is accepted and every reply taken is closed at the device, then
  /// leaves it in good order. Later calls are errc::closed.
  status close(milliseconds timeout = forever);

 private:
  struct state;
  explicit requester(std::unique_ptr<state> made) noexcept;
  std::unique_ptr<state> state_;
};

struct replier_options : endpoint_options {
  /// At most 255 bytes; empty: the channel's default.
  std::string service;
  /// A name for people, at most 255 bytes: it stands in stored replies.
  std::string worker;
  /// Requests taken or waiting here and not answered, at most.
  std::uint32_t credit_messages = 1;
};

/// A request to answer. Copies are cheap; the bytes live as long as any copy does.
class received_request {
 public:
  /// Its parts. Views are valid while this request (or a copy) lives.
  const message_view& parts() const noexcept { return parts_; }
  std::string_view text() const noexcept { return as_text(parts_[0]); }
  const request_id& id() const noexcept { return id_; }
  /// Its number in the service.
  std::uint64_t sequence() const noexcept { return what_.sequence(); }
  /// 1 for the first try.
  unsigned attempt() const noexcept { return what_.attempt(); }
  bool redelivered() const noexcept { return what_.redelivered(); }
  /// When its requester gives up, in ms since 1970 UTC; 0: it did not say, and the channel's
  /// deadline counts.
  std::uint64_t deadline_ms() const noexcept { return deadline_ms_; }

 private:
  friend struct handed;  // the library's
  std::uint64_t deadline_ms_ = 0;
  delivery what_;
  message_view parts_;
  request_id id_{};
};

/// Takes the requests of one service and answers each: with a reply, which is the ack; or reject
/// (the requester gets status 500 and the reason), release (another worker, at once, unharmed). A
/// request is leased to this worker (5 s unless the device says otherwise); touch() extends that.
/// When a session is lost, the request goes to another worker, and answering it here is
/// errc::stale. Move-only.
class replier {
 public:
  /// Checks the options and returns at once; the connection is made in the background.
  static result<replier> open(const replier_options& options);
  replier(replier&&) noexcept;
  replier& operator=(replier&&) noexcept;
  /// Leaves in good order: requests without a reply go to another worker at once.
  ~replier();

  /// The next request. Errors: timeout, would_block, fenced, closed, denied.
  result<received_request> receive(milliseconds timeout = forever);
  /// Answers. The reply travels at once; flush() waits until it is durable. Errors: stale,
  /// not_found (settled already), too_large, invalid.
  status reply(const received_request& to, std::span<const part_view> parts,
               std::uint16_t status_code = 200);
  status reply(const received_request& to, std::initializer_list<part_view> parts,
               std::uint16_t status_code = 200) {
    return reply(to, std::span<const part_view>(parts.begin(), parts.size()), status_code);
  }
  status reply(const received_request& to, std::string_view text, std::uint16_t status_code = 200) {
    return reply(to, {as_part(text)}, status_code);
  }
  /// Cannot be answered: no other worker is asked. `reason`: at most 1 KiB.
  status reject(const received_request& what, std::string reason);
  /// Handed back unharmed: does not count as a failure.
  status release(const received_request& what);
  /// Still working: the lease begins anew, or ends `extend` from now.
  status touch(const received_request& what, milliseconds extend = milliseconds(0));

  /// Waits until all replies given are durable at the device, or are known to be too late. stale:
  /// some were lost with their session since the last flush; their requests go to another worker.
  status flush(milliseconds timeout = forever);
  /// Replies that came after another worker's.
  std::uint64_t late() const;

  /// Readable while receive() would not wait, and after a final failure. Never read from it.
  int fd() const;
  /// flush(), then as the destructor. Later calls are errc::closed.
  status close(milliseconds timeout = forever);

 private:
  struct state;
  explicit replier(std::unique_ptr<state> made) noexcept;
  status hand_back(const received_request& what, std::uint8_t kind, std::string reason);
  std::unique_ptr<state> state_;
};

}  // namespace holdfast
