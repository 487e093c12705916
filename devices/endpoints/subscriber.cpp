#include "devices/endpoints/endpoint_state.hpp"
#include "devices/endpoints/handed.hpp"
#include "holdfast/pubsub.hpp"
#include "patterns/frame_codec.hpp"
#include "patterns/pubsub/subscriber_stream.hpp"

namespace holdfast {
namespace {

subscriber_stream_options stream_of(const subscriber_options& options) {
  subscriber_stream_options made;
  made.durable = options.durable;
  made.start = static_cast<start_at>(options.start.kind());
  made.at = options.start.at();
  made.prefixes = options.prefixes;
  made.credit_messages = options.credit_messages;
  made.credit_bytes = options.credit_bytes;
  return made;
}

status check_options(const subscriber_options& options) {
  if (options.credit_messages == 0 || options.credit_bytes == 0)
    return {errc::invalid, "a credit of nothing brings nothing"};
  if (options.durable.size() > id_bytes_max)
    return {errc::invalid, "a subscription's name has at most 255 bytes"};
  if (options.prefixes.size() > prefixes_max)
    return {errc::invalid, "a subscription has at most 256 prefixes"};
  for (const std::string& prefix : options.prefixes)
    if (prefix.size() > address_bytes_max) return {errc::invalid, "a prefix has at most 255 bytes"};
  return {};
}

}  // namespace

start_point start_point::time(time_point when) noexcept {
  const auto ns = std::chrono::duration_cast<std::chrono::nanoseconds>(when.time_since_epoch());
  return {static_cast<std::uint8_t>(start_at::time),
          static_cast<std::uint64_t>(std::max<std::int64_t>(ns.count(), 0))};
}

struct subscriber::state : endpoint_state<subscriber_stream> {
  using endpoint_state::endpoint_state;

  status ack(std::uint64_t sequence) {
    const auto held = wire.lock();
    status done = stream.acked_through(sequence);
    poke();
    return done;
  }
};

subscriber::subscriber(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
subscriber::subscriber(subscriber&&) noexcept = default;
subscriber& subscriber::operator=(subscriber&&) noexcept = default;
subscriber::~subscriber() = default;

result<subscriber> subscriber::open(const subscriber_options& options) {
  if (status holds = check_options(options); !holds) return holds;
  auto made = make_state<state>(options, {}, stream_of(options));
  if (!made) return made.take_status();
  return subscriber(std::move(*made));
}

result<delivery> subscriber::receive(milliseconds timeout) {
  return handed::receive(*state_, timeout);
}

result<batch> subscriber::receive_batch(milliseconds timeout) {
  return handed::receive_batch(*state_, timeout);
}

status subscriber::ack(const delivery& what) {
  return state_->ack(what.sequence());
}

status subscriber::ack(const batch& what) {
  return state_->ack(handed::first_sequence(what) + handed::count(what) - 1);
}

status subscriber::flush(milliseconds timeout) {
  auto held = state_->wire.lock();
  subscriber_stream& stream = state_->stream;
  stream.hurry();
  return state_->wait(held, timeout, "the ack is not durable yet",
                      [&] { return stream.acks_durable(); });
}

std::uint64_t subscriber::position() const {
  const auto held = state_->wire.lock();
  return state_->stream.position();
}

status subscriber::wait_subscribed(milliseconds timeout) {
  auto held = state_->wire.lock();
  return state_->wait(held, timeout, "the device has not answered",
                      [this] { return state_->stream.position() != 0; });
}

std::vector<gap_notice> subscriber::take_gaps() {
  const auto held = state_->wire.lock();
  std::vector<gap_notice> made;
  for (const gap& lost : state_->stream.take_gaps())
    made.push_back(
        {lost.messages.first, lost.messages.count, static_cast<gap_notice::reason>(lost.cause)});
  state_->looked();
  return made;
}

int subscriber::fd() const {
  return state_->fd();
}

status subscriber::close(milliseconds timeout) {
  status flushed = flush(timeout);
  state_->leave();
  return flushed;
}

}  // namespace holdfast
