#include <algorithm>
#include <map>

#include "devices/endpoints/endpoint_state.hpp"
#include "holdfast/reqrep.hpp"
#include "patterns/frame_codec.hpp"
#include "patterns/reqrep/conversation.hpp"

namespace holdfast {
namespace {

constexpr std::size_t services_max = 1024;
constexpr milliseconds deadline_max = std::chrono::hours(24 * 365);

request_terms terms_of(const request_options& options, random_source& random, instant at) {
  const auto ms = static_cast<std::uint64_t>(options.deadline.count());
  request_terms made;
  made.id = options.id ? *options.id : random.bytes16();
  made.deadline_ns = at.now_ns + ms * ms_ns;
  made.deadline_ms = at.real_ns / ms_ns + ms;
  made.attempts_max = options.attempts;
  return made;
}

/// Rounded up.
milliseconds until(std::uint64_t deadline_ns) {
  const std::uint64_t now = monotonic_now();
  return milliseconds(deadline_ns > now ? (deadline_ns - now) / ms_ns + 1 : 0);
}

/// The conversations of one session, one a service; each says with its replies why it failed.
class conversations {
 public:
  explicit conversations(const requester_options& options)
      : options_(options), random_(system_seed()) {}

  std::span<const std::unique_ptr<conversation>> all() const noexcept { return services_; }
  random_source& random() noexcept { return random_; }
  /// The number of the service, whose streams are added to `wire` if it is new.
  result<std::uint32_t> find(std::string_view service, link& wire);
  bool settled() const {
    return std::all_of(services_.begin(), services_.end(),
                       [](const auto& one) { return one->settled() || !one->failure().ok(); });
  }

  bool ready() const {
    return std::any_of(services_.begin(), services_.end(),
                       [](const auto& one) { return one->next_answered().has_value(); });
  }
  const status& failure() const noexcept { return failure_; }
  bool wants_to_send() const {
    return std::any_of(services_.begin(), services_.end(),
                       [](const auto& one) { return one->wants_to_send(); });
  }
  void hurry() {
    for (const auto& one : services_) one->hurry();
  }

 private:
  requester_options options_;
  random_source random_;
  status failure_;  // none
  std::vector<std::unique_ptr<conversation>> services_;
  std::map<std::string, std::uint32_t, std::less<>> by_name_;
};

result<std::uint32_t> conversations::find(std::string_view service, link& wire) {
  if (const auto known = by_name_.find(service); known != by_name_.end()) return known->second;
  if (service.size() > address_bytes_max)
    return {errc::invalid, "a service's name has at most 255 bytes"};
  if (services_.size() == services_max)
    return {errc::full, "one requester asks at most 1024 services"};
  conversation_options made;
  made.service = service;
  made.need = static_cast<level>(options_.level);
  made.named = !options_.id.empty();
  made.keep = !options_.close_when_taken;
  made.requests_max = options_.requests_max;
  made.window_bytes = options_.window_bytes;
  made.max_message = options_.max_message;
  services_.push_back(std::make_unique<conversation>(std::move(made)));
  wire.add(services_.back()->answers());
  wire.add(services_.back()->sending());
  wire.poke();
  const auto index = static_cast<std::uint32_t>(services_.size() - 1);
  by_name_.emplace(service, index);
  return index;
}

}  // namespace

struct requester::state : endpoint_state<conversations> {
  using endpoint_state::endpoint_state;

  std::span<const std::unique_ptr<conversation>> services() const { return stream.all(); }
  result<received_reply> taken(std::uint32_t service, const request_id& id, instant at);
};

result<received_reply> requester::state::taken(std::uint32_t service, const request_id& id,
                                               instant at) {
  if (service >= services().size()) return {errc::not_found, "no request of this id waits here"};
  auto reply = services()[service]->take(id, at);
  if (!reply) {
    if (reply.kind() == errc::would_block && !wire.failure().ok()) return wire.failure().copy();
    return reply.take_status();
  }
  looked();
  poke();
  received_reply made;
  made.keep_ = std::move(reply->body);
  made.parts_ = {reply->lengths, reply->data};
  made.id_ = id;
  made.status_ = reply->status;
  return made;
}

requester::requester(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
requester::requester(requester&&) noexcept = default;
requester& requester::operator=(requester&&) noexcept = default;
requester::~requester() = default;

result<requester> requester::open(const requester_options& options) {
  if (options.requests_max == 0 || options.window_bytes == 0)
    return {errc::invalid, "a window of nothing lets nothing through"};
  if (options.level < durability::process || options.level > durability::disk)
    return {errc::invalid, "no such level of durability"};
  auto made = make_state<state>(options, options.id, options);
  if (!made) return made.take_status();
  return requester(std::move(*made));
}

result<request_ticket> requester::ask(std::string_view service, std::span<const part_view> parts,
                                      const request_options& options, milliseconds timeout) {
  if (options.deadline <= milliseconds(0) || options.deadline > deadline_max)
    return {errc::invalid, "a deadline is 1 ms to a year from now"};
  auto held = state_->wire.lock();
  const auto index = state_->stream.find(service, state_->wire);
  if (!index) return {index.kind(), std::string(index.text())};
  conversation& with = *state_->services()[*index];
  const request_terms terms = terms_of(options, state_->stream.random(), system_now());
  const bool idle = with.idle();
  status asked;
  status in_time = state_->wait(held, timeout, "too many requests are open", [&] {
    if (!state_->failure().ok()) return false;
    asked = with.ask(terms, parts, system_now());
    return asked.kind() != errc::would_block;
  });
  if (!in_time) return in_time;
  if (!asked) return asked;
  const bool comes_back = state_->stream.ready();  // for the replies there are
  held.unlock();
  if (idle)
    state_->wire.push();
  else
    comes_back ? state_->wire.defer() : state_->wire.poke();
  request_ticket made;
  made.id_ = terms.id;
  made.service_ = *index;
  return made;
}

result<received_reply> requester::take(const request_ticket& of, milliseconds timeout) {
  auto held = state_->wire.lock();
  result<received_reply> reply{errc::would_block, {}};
  const auto tried = [&] {
    reply = state_->taken(of.service_, of.id_, system_now());
    return reply || reply.kind() != errc::would_block;
  };
  if (tried()) return reply;
  // The request's own deadline ends the wait, too.
  const milliseconds own = until(state_->services()[of.service_]->deadline_ns(of.id_));
  status came = state_->wait_driving(held, std::min(timeout, own), "no reply came", tried);
  if (!came && !tried()) return came;
  return reply;
}

result<received_reply> requester::request(std::string_view service,
                                          std::span<const part_view> parts,
                                          const request_options& options) {
  const auto asked = ask(service, parts, options, options.deadline);
  if (!asked) return {asked.kind(), std::string(asked.text())};
  return take(*asked);
}

result<received_reply> requester::next(milliseconds timeout) {
  auto held = state_->wire.lock();
  result<received_reply> reply{errc::would_block, {}};
  status came = state_->wait_driving(held, timeout, "no reply came", [&] {
    for (std::uint32_t i = 0; i < state_->services().size(); ++i) {
      const auto id = state_->services()[i]->next_answered();
      if (!id) continue;
      reply = state_->taken(i, *id, system_now());
      return true;
    }
    return false;
  });
  if (!came) return came;
  return reply;
}

void requester::forget(const request_ticket& of) {
  const auto held = state_->wire.lock();
  if (of.service_ >= state_->services().size()) return;
  state_->services()[of.service_]->forget(of.id_);
  state_->poke();
}

std::size_t requester::open_requests() const {
  const auto held = state_->wire.lock();
  std::size_t open = 0;
  for (const auto& one : state_->services()) open += one->open();
  return open;
}

int requester::fd() const {
  return state_->fd();
}

status requester::close(milliseconds timeout) {
  status outcome;
  {
    auto held = state_->wire.lock();
    state_->stream.hurry();
    outcome = state_->wait(held, timeout, "not everything is accepted and closed",
                           [this] { return state_->stream.settled(); });
    if (!state_->failure().ok()) outcome = state_->failure().copy();
  }
  state_->leave();
  return outcome;
}

}  // namespace holdfast
