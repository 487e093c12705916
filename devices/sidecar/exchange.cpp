#include "devices/sidecar/exchange.hpp"

#include <poll.h>

#include <cstring>
#include <utility>
#include <vector>

#include "base/checksum.hpp"
#include "devices/logging.hpp"

namespace holdfast {
namespace {

constexpr milliseconds now_or_never{0}, leave_wait{2000};
constexpr std::size_t open_max = 1024;  // requests on their way, and replies not closed
/// Workers here get requests of the far service, at most so many; they wait in the journal here.
constexpr std::uint32_t here_max = 16;
constexpr int rest_ms = 250, opening_rest_ms = 50, closing_rest_ms = 10;
constexpr std::uint64_t tell_ns = second_ns / 4, look_ns = second_ns / 4;
constexpr std::uint64_t silent_ns = 5 * second_ns;
constexpr std::uint64_t sweep_ns = second_ns;        // leases are touched, deadlines seen
constexpr std::uint64_t alone_ns = 2 * second_ns;    // without a worker: a REP that reconnects
constexpr std::uint64_t orphan_ns = 60 * second_ns;  // a reply nobody takes is let go
constexpr std::uint16_t closed = 410, failed = 500, full = 503, expired = 504, dropped = 507;

/// The id that request is asked with. Ids are unique for each requester only, numbers for each
/// journal.
request_id id_for(const received_request& request, std::uint64_t salt) {
  std::array<std::byte, 32> from{};
  const std::uint64_t sequence = request.sequence();
  std::memcpy(from.data(), request.id().data(), 16);
  std::memcpy(from.data() + 16, &sequence, 8);
  std::memcpy(from.data() + 24, &salt, 8);
  const std::uint64_t low = checksum(from), high = checksum(from, 1);
  request_id made{};
  std::memcpy(made.data(), &low, 8);
  std::memcpy(made.data() + 8, &high, 8);
  return made;
}

template <class Message>
std::vector<part_view> parts_of(const Message& message) {
  return {message.parts().begin(), message.parts().end()};
}

/// Why a request cannot be asked, whatever becomes of the connection.
bool for_good(errc why) {
  return why == errc::expired || why == errc::too_large || why == errc::invalid ||
         why == errc::schema;
}

bool from_a_device(std::uint16_t code) {
  return code == failed || code == full || code == expired || code == dropped;
}

}  // namespace

exchange::exchange(bridge_options options, replier_options from, requester to, bool here)
    : options_(std::move(options)),
      from_options_(std::move(from)),
      to_(std::move(to)),
      here_(here) {}

status exchange::run(int stop) {
  report_.state = "connecting";
  for (;;) {
    pollfd asked_to{stop, POLLIN, 0};
    if (::poll(&asked_to, 1, 0) > 0) break;
    const std::uint64_t now = monotonic_now();
    if (status moved = turn(now); !moved) return moved;
    tell(now);
    wait(stop);
  }
  if (!from_) return {};
  (void)from_->flush(leave_wait);
  (void)close_answered(monotonic_now());
  return to_.close(leave_wait);
}

status exchange::turn(std::uint64_t now) {
  if (here_)
    if (status looked = look_for_workers(now); !looked) return looked;
  if (!from_ && !here_) {
    auto opened = replier::open(from_options_);
    if (!opened) return opened.take_status();
    from_.emplace(std::move(*opened));
    report_.state = "running";
  }
  if (status taken = take_replies(now); !taken) return taken;
  if (status closing = close_answered(now); !closing) return closing;
  if (status taken = take_requests(now); !taken) return taken;
  return now - swept_ns_ < sweep_ns ? status{} : sweep(now);
}

// The far session is there while there is a worker here: what it is given is begun soon.
status exchange::look_for_workers(std::uint64_t now) {
  if (now - looked_ns_ < look_ns) return {};
  looked_ns_ = now;
  const auto workers = options_.local_workers();
  if (!workers) return {workers.kind(), std::string(workers.text())};
  if (*workers > 0) {
    alone_since_ns_ = 0;
    if (from_) return {};
    auto opened = replier::open(from_options_);
    if (!opened) return opened.take_status();
    from_.emplace(std::move(*opened));
    report_.state = "running";
    return {};
  }
  if (!from_) {
    report_.state = "idle";
    return {};
  }
  if (alone_since_ns_ == 0) alone_since_ns_ = now;
  if (now - alone_since_ns_ < alone_ns) return {};
  log_info("sidecar: no worker is connected; requests of " + options_.far + " are left to others");
  for (auto& [key, one] : open_)
    if (!one.answered && one.lost_ns == 0) one.lost_ns = now;
  (void)from_->close(leave_wait);  // what has no reply goes to another worker at once
  from_.reset();
  return {};
}

status exchange::take_replies(std::uint64_t now) {
  for (;;) {
    auto reply = to_.next(now_or_never);
    if (reply.kind() == errc::would_block) return {};
    if (!reply) return reply.take_status();
    const auto known = by_id_.find(reply->id());
    if (known == by_id_.end()) continue;
    const request_key key = known->second;
    on_reply(key, std::move(*reply), now);
  }
}

void exchange::on_reply(const request_key& key, received_reply reply, std::uint64_t now) {
  asked& one = open_.at(key);
  if (reply.status() == closed) {
    to_.forget(one.ticket);
    by_id_.erase(one.id);
    one.sent = false;
    ++one.salt;
    blocked_ = true;  // asked again below
    return;
  }
  if (from_a_device(reply.status()))
    return give_up(key, now,
                   "status " + std::to_string(reply.status()) + ": " +
                       std::string(reply.text()).substr(0, 900));
  one.reply = std::move(reply);
  answer(one, now);
}

// stale: it comes again, or somebody else has answered.
void exchange::answer(asked& one, std::uint64_t now) {
  if (!from_) {
    if (one.lost_ns == 0) one.lost_ns = now;
    return;
  }
  const auto parts = parts_of(*one.reply);
  const status given = from_->reply(one.request, parts, one.reply->status());
  if (given) {
    one.answered = true;
    one.lost_ns = 0;
    ++unclosed_;
    ++report_.carried;
    return;
  }
  if (given.kind() == errc::too_large || given.kind() == errc::invalid)
    (void)from_->reject(one.request, std::string(given.text()));
  one.lost_ns = now;
}

// There will be no reply: the requester learns why, where it can.
void exchange::give_up(const request_key& key, std::uint64_t now, const std::string& reason) {
  asked& one = open_.at(key);
  ++report_.refused;
  failed_.say("request " + std::to_string(one.request.sequence()) + " failed: " + reason, now);
  if (from_) (void)from_->reject(one.request, reason);  // stale: it comes again
  drop(key);
}

void exchange::drop(const request_key& key) {
  const auto found = open_.find(key);
  if (found->second.sent) to_.forget(found->second.ticket);
  by_id_.erase(found->second.id);
  open_.erase(found);
}

// Replies that are durable where they are wanted are closed where they were stored.
status exchange::close_answered(std::uint64_t now) {
  if (!from_ || unclosed_ == 0) return {};
  const status durable = from_->flush(now_or_never);
  if (durable.kind() == errc::would_block) return {};
  const bool lost = durable.kind() == errc::stale;  // some of them: their requests come again
  if (!durable && !lost) return durable.copy();
  unclosed_ = 0;
  for (auto at = open_.begin(); at != open_.end();) {
    const auto next = std::next(at);
    if (std::exchange(at->second.answered, at->second.answered && !lost)) {
      if (lost)
        at->second.lost_ns = now;
      else
        drop(request_key(at->first));
    }
    at = next;
  }
  return {};
}

status exchange::take_requests(std::uint64_t now) {
  if (std::exchange(blocked_, false))
    for (auto at = open_.begin(); at != open_.end() && !blocked_;) {
      const request_key key = at->first;
      asked& one = (at++)->second;
      if (one.sent || one.reply || one.lost_ns != 0) continue;
      if (status sent = ask(key, one, now); !sent) return sent;
    }
  while (from_ && !blocked_ && open_.size() < open_max) {
    auto got = from_->receive(now_or_never);
    if (got.kind() == errc::would_block) return {};
    if (!got) return got.take_status();
    const request_key key(got->sequence(), got->id());
    const auto [at, fresh] = open_.try_emplace(key);
    asked& one = at->second;
    one.request = std::move(*got);
    one.lost_ns = 0;
    one.answered = false;
    if (fresh) one.since_ns = now;
    if (one.reply)
      answer(one, now);
    else if (!one.sent)
      if (status sent = ask(key, one, now); !sent) return sent;
  }
  return {};
}

status exchange::ask(const request_key& key, asked& one, std::uint64_t now) {
  request_options terms;
  one.id = id_for(one.request, one.salt);
  terms.id = one.id;
  terms.deadline = time_left(one);
  const auto parts = parts_of(one.request);
  auto sent = to_.ask(options_.far_address, parts, terms, now_or_never);
  if (sent) {
    one.ticket = *sent;
    one.sent = true;
    by_id_[one.id] = key;
    return {};
  }
  if (sent.kind() == errc::would_block) {
    blocked_ = true;
    return {};
  }
  if (!for_good(sent.kind())) return sent.take_status();
  give_up(key, now, std::string(sent.text()));
  return {};
}

milliseconds exchange::time_left(const asked& one) const {
  const std::uint64_t until = one.request.deadline_ms(), now = system_now().real_ns / ms_ns;
  if (until == 0) return milliseconds(options_.deadline_ns / ms_ns);
  return milliseconds(until > now ? std::min<std::uint64_t>(until - now, 365ull * 86'400'000) : 1);
}

// Leases are kept, deadlines seen, replies that nobody takes are let go.
status exchange::sweep(std::uint64_t now) {
  swept_ns_ = now;
  for (auto at = open_.begin(); at != open_.end();) {
    const request_key key = at->first;
    asked& one = (at++)->second;
    if (one.lost_ns != 0 && now - one.lost_ns > orphan_ns) {
      drop(key);
      continue;
    }
    if (!one.sent || one.reply) continue;
    auto reply = to_.take(one.ticket, now_or_never);
    if (reply) {
      on_reply(key, std::move(*reply), now);
    } else if (reply.kind() == errc::would_block) {
      if (here_ && from_ && one.lost_ns == 0) (void)from_->touch(one.request);
    } else if (for_good(reply.kind())) {
      give_up(key, now, std::string(reply.text()));
    } else {
      return reply.take_status();
    }
  }
  return {};
}

void exchange::wait(int stop) {
  pollfd polled[] = {{stop, POLLIN, 0}, {to_.fd(), POLLIN, 0}, {-1, POLLIN, 0}};
  if (from_ && !blocked_ && open_.size() < open_max) polled[2].fd = from_->fd();
  const int rest = unclosed_ > 0                   ? closing_rest_ms
                   : blocked_ || (here_ && !from_) ? opening_rest_ms
                                                   : rest_ms;
  (void)::poll(polled, 3, rest);
}

void exchange::tell(std::uint64_t now) {
  if (now - told_ns_ < tell_ns) return;
  told_ns_ = now;
  report_.waiting = report_.silent_since_ns = 0;
  for (const auto& [key, one] : open_) {
    if (one.reply) continue;
    ++report_.waiting;
    if (report_.silent_since_ns == 0 || one.since_ns < report_.silent_since_ns)
      report_.silent_since_ns = one.since_ns;
  }
  const bool silent = report_.waiting > 0 && now - report_.silent_since_ns > silent_ns;
  if (from_) report_.state = silent ? "waiting" : "running";
  options_.tell(report_);
}

namespace {

result<std::unique_ptr<bridge>> open_exchange(const bridge_options& options, bool here) {
  replier_options from;
  from.context = options.context;
  from.endpoint = here ? options.far : options.local;
  from.worker = "sidecar:" + options.id;
  from.credit_messages = here ? here_max : open_max;
  if (here) from.service = options.far_address;
  requester_options to;
  to.context = options.context;
  to.endpoint = here ? options.local : options.far;
  to.id = "sidecar:" + options.id;
  to.close_when_taken = false;
  auto opened = requester::open(to);
  if (!opened) return opened.take_status();
  bridge_options of = options;
  if (here) of.far_address.clear();  // asked here: the local channel's own service
  return std::unique_ptr<bridge>(
      std::make_unique<exchange>(std::move(of), std::move(from), std::move(*opened), here));
}

}  // namespace

result<std::unique_ptr<bridge>> open_asking(const bridge_options& options) {
  return open_exchange(options, false);
}

result<std::unique_ptr<bridge>> open_working(const bridge_options& options) {
  return open_exchange(options, true);
}

}  // namespace holdfast
