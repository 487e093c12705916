#include "devices/endpoints/endpoint_state.hpp"
#include "devices/endpoints/handed.hpp"
#include "holdfast/pipeline.hpp"
#include "patterns/queue/assignment.hpp"

namespace holdfast {
namespace {

constexpr std::uint32_t batch_credit = 16'384, one_message_credit = 256;

assignment_options assignment_of(const worker_options& options) {
  assignment_options made;
  made.address = options.queue;
  made.whole_blocks = options.batches;
  made.credit_messages = options.credit_messages ? options.credit_messages
                         : options.batches       ? batch_credit
                                                 : one_message_credit;
  made.credit_bytes = options.credit_bytes;
  return made;
}

}  // namespace

struct worker::state : endpoint_state<assignment> {
  using endpoint_state::endpoint_state;
};

worker::worker(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
worker::worker(worker&&) noexcept = default;
worker& worker::operator=(worker&&) noexcept = default;
worker::~worker() = default;

result<worker> worker::open(const worker_options& options) {
  if (options.credit_bytes == 0) return {errc::invalid, "a credit of no bytes brings nothing"};
  auto made = make_state<state>(options, {}, assignment_of(options));
  if (!made) return made.take_status();
  return worker(std::move(*made));
}

result<delivery> worker::receive(milliseconds timeout) {
  return handed::receive(*state_, timeout);
}

result<batch> worker::receive_batch(milliseconds timeout) {
  return handed::receive_batch(*state_, timeout);
}

status worker::ack(const delivery& what) {
  const auto held = state_->wire.lock();
  status done = state_->stream.acked(handed::ticket(what));
  state_->poke();
  return done;
}

status worker::ack(const batch& what) {
  const auto held = state_->wire.lock();
  status done = state_->stream.acked(handed::first(what), handed::count(what));
  state_->poke();
  return done;
}

status worker::nack(const delivery& what, milliseconds delay, std::string reason) {
  return settle(what, static_cast<std::uint8_t>(nack_kind::nack), delay, std::move(reason));
}

status worker::release(const delivery& what) {
  return settle(what, static_cast<std::uint8_t>(nack_kind::release), milliseconds(0), {});
}

status worker::reject(const delivery& what, std::string reason) {
  return settle(what, static_cast<std::uint8_t>(nack_kind::reject), milliseconds(0),
                std::move(reason));
}

status worker::settle(const delivery& what, std::uint8_t kind, milliseconds delay,
                      std::string reason) {
  if (delay < milliseconds(0)) return {errc::invalid, "a delay is not negative"};
  const auto held = state_->wire.lock();
  status done =
      state_->stream.refused(handed::ticket(what), static_cast<nack_kind>(kind),
                             static_cast<std::uint64_t>(delay.count()), std::move(reason));
  state_->poke();
  return done;
}

status worker::touch(const delivery& what, milliseconds extend) {
  if (extend < milliseconds(0)) return {errc::invalid, "a lease is not extended backwards"};
  const auto held = state_->wire.lock();
  status done =
      state_->stream.touched(handed::ticket(what), static_cast<std::uint64_t>(extend.count()));
  state_->poke();
  return done;
}

status worker::flush(milliseconds timeout) {
  auto held = state_->wire.lock();
  assignment& work = state_->stream;
  work.hurry();
  status durable = state_->wait(held, timeout, "the acks are not durable yet",
                                [&] { return work.acks_durable(); });
  if (work.take_acks_lost())
    return {errc::stale, "acks were lost with their session; the messages come again"};
  return durable;
}

int worker::fd() const {
  return state_->fd();
}

status worker::close(milliseconds timeout) {
  status flushed = flush(timeout);
  state_->leave();
  return flushed;
}

}  // namespace holdfast
