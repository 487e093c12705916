#include "patterns/reqrep/replier_stream.hpp"

#include "devices/endpoints/endpoint_state.hpp"
#include "devices/endpoints/handed.hpp"
#include "holdfast/reqrep.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {
namespace {

replier_stream_options stream_of(const replier_options& options) {
  replier_stream_options made;
  made.service = options.service;
  made.worker = options.worker;
  made.credit_messages = options.credit_messages;
  return made;
}

}  // namespace

struct replier::state : endpoint_state<replier_stream> {
  using endpoint_state::endpoint_state;

  std::uint64_t told_lost = 0;
};

replier::replier(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
replier::replier(replier&&) noexcept = default;
replier& replier::operator=(replier&&) noexcept = default;
replier::~replier() = default;

result<replier> replier::open(const replier_options& options) {
  if (options.credit_messages == 0) return {errc::invalid, "a credit of nothing brings nothing"};
  if (options.service.size() > address_bytes_max || options.worker.size() > worker_name_bytes_max)
    return {errc::invalid, "the names of a service and a worker have at most 255 bytes"};
  auto made = make_state<state>(options, {}, stream_of(options));
  if (!made) return made.take_status();
  return replier(std::move(*made));
}

result<received_request> replier::receive(milliseconds timeout) {
  auto held = state_->wire.lock();
  request_taken taken;
  status came = state_->wait_driving(held, timeout, "no request came",
                                     [&] { return state_->stream.take(taken); });
  if (!came) return came;
  state_->looked();
  state_->poke();
  return handed::request(taken);
}

status replier::reply(const received_request& to, std::span<const part_view> parts,
                      std::uint16_t status_code) {
  auto held = state_->wire.lock();
  if (!state_->failure().ok()) return state_->failure().copy();
  status done = state_->stream.reply(handed::ticket(to), static_cast<std::uint16_t>(to.attempt()),
                                     to.id(), status_code, parts, monotonic_now());
  const bool more = state_->stream.ready();
  held.unlock();
  if (!done) return done;
  more ? state_->wire.defer() : state_->wire.push();  // somebody waits for it
  return done;
}

status replier::reject(const received_request& what, std::string reason) {
  return hand_back(what, static_cast<std::uint8_t>(nack_kind::reject), std::move(reason));
}

status replier::release(const received_request& what) {
  return hand_back(what, static_cast<std::uint8_t>(nack_kind::release), {});
}

status replier::hand_back(const received_request& what, std::uint8_t kind, std::string reason) {
  const auto held = state_->wire.lock();
  status done = state_->stream.work().refused(handed::ticket(what), static_cast<nack_kind>(kind), 0,
                                              std::move(reason));
  state_->poke();
  return done;
}

status replier::touch(const received_request& what, milliseconds extend) {
  if (extend < milliseconds(0)) return {errc::invalid, "a lease is not extended backwards"};
  const auto held = state_->wire.lock();
  status done = state_->stream.work().touched(handed::ticket(what),
                                              static_cast<std::uint64_t>(extend.count()));
  state_->poke();
  return done;
}

status replier::flush(milliseconds timeout) {
  auto held = state_->wire.lock();
  const replier_stream& stream = state_->stream;
  status durable = state_->wait(held, timeout, "the replies are not durable yet",
                                [&] { return stream.unconfirmed() == 0; });
  if (std::exchange(state_->told_lost, stream.lost()) != stream.lost())
    return {errc::stale, "replies were lost with their session; others are asked again"};
  return durable;
}

std::uint64_t replier::late() const {
  const auto held = state_->wire.lock();
  return state_->stream.late();
}

int replier::fd() const {
  return state_->fd();
}

status replier::close(milliseconds timeout) {
  status flushed = flush(timeout);
  state_->leave();
  return flushed;
}

}  // namespace holdfast
