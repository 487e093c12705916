#include "devices/endpoints/endpoint_state.hpp"
#include "holdfast/pipeline.hpp"
#include "patterns/outbox.hpp"

namespace holdfast {
namespace {

outbox_options outbox_of(const producer_options& options) {
  outbox_options made;
  made.address = options.queue;
  made.need = static_cast<level>(options.level);
  made.named = !options.id.empty();
  made.renumber = options.renumber;
  made.window_messages = options.window_messages;
  made.window_bytes = options.window_bytes;
  made.max_message = options.max_message;
  return made;
}

/// An outbox, and what its application has seen of it.
class watched_outbox {
 public:
  explicit watched_outbox(outbox_options options) : box(std::move(options)) {}

  void add_to(link& wire) { wire.add(box); }
  const status& failure() const noexcept { return box.failure(); }
  bool wants_to_send() const noexcept { return box.wants_to_send(); }
  /// Something to look at: progress, a refusal, the end.
  bool take_news(const status& failure) {
    if (box.accepted_through() == seen_accepted_ && box.rejections() == seen_rejections_ &&
        (box.next_number() != 0) == seen_numbered_ && failure.ok())
      return false;
    seen_numbered_ = box.next_number() != 0;
    seen_accepted_ = box.accepted_through();
    seen_rejections_ = box.rejections();
    return true;
  }
  void rejections_taken() noexcept { seen_rejections_ = 0; }

  outbox box;

 private:
  std::uint64_t seen_accepted_ = 0;
  std::size_t seen_rejections_ = 0;
  bool seen_numbered_ = false;
};

}  // namespace

struct producer::state : endpoint_state<watched_outbox> {
  using endpoint_state::endpoint_state;

  // With the lock held: runs `attempt` until it is not would_block.
  template <class F>
  result<std::uint64_t> submit(milliseconds timeout, F&& attempt);
};

template <class F>
result<std::uint64_t> producer::state::submit(milliseconds timeout, F&& attempt) {
  auto held = wire.lock();
  const auto once = [&]() -> result<std::uint64_t> {
    if (!failure().ok()) return failure().copy();
    return attempt();
  };
  const bool idle = stream.box.outstanding() == 0;
  result<std::uint64_t> done = once();
  bool waited = false;
  const status in_time = wait(held, timeout, "the window is full", [&] {
    if (waited) done = once();
    if (done.kind() != errc::would_block) return true;
    if (!std::exchange(waited, true)) readable.set(false);
    return false;
  });
  if (done && stream.wants_to_send()) {
    // The first message on an idle line leaves at once, on this thread; more gather meanwhile.
    if (!idle) wire.poke();
    held.unlock();
    if (idle) wire.push();
  }
  if (done.kind() == errc::would_block) return in_time.copy();
  return done;
}

producer::producer(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
producer::producer(producer&&) noexcept = default;
producer& producer::operator=(producer&&) noexcept = default;
producer::~producer() = default;

result<producer> producer::open(const producer_options& options) {
  if (options.window_messages == 0 || options.window_bytes == 0)
    return {errc::invalid, "a window of nothing lets nothing through"};
  if (options.level < durability::process || options.level > durability::disk)
    return {errc::invalid, "no such level of durability"};
  auto made = make_state<state>(options, options.id, outbox_of(options));
  if (!made) return made.take_status();
  return producer(std::move(*made));
}

result<std::uint64_t> producer::send(std::span<const part_view> parts, milliseconds timeout) {
  const std::uint64_t now = monotonic_tick();
  return state_->submit(timeout, [&] { return state_->stream.box.submit(parts, now); });
}

result<std::uint64_t> producer::send_at(std::uint64_t number, std::span<const part_view> parts,
                                        milliseconds timeout) {
  const std::uint64_t now = monotonic_tick();
  return state_->submit(timeout, [&] { return state_->stream.box.submit_at(number, parts, now); });
}

result<std::uint64_t> producer::skip_at(std::uint64_t number, std::string_view reason,
                                        milliseconds timeout) {
  const std::uint64_t now = monotonic_tick();
  return state_->submit(timeout,
                        [&] { return state_->stream.box.submit_void(number, reason, now); });
}

result<std::uint64_t> producer::next_number(milliseconds timeout) {
  return state_->submit(timeout, [&]() -> result<std::uint64_t> {
    if (const std::uint64_t next = state_->stream.box.next_number()) return next;
    return {errc::would_block, "not attached yet"};
  });
}

status producer::flush(milliseconds timeout) {
  auto held = state_->wire.lock();
  outbox& box = state_->stream.box;
  state_->looked();
  status in_time = state_->wait_driving(held, timeout, "not everything is accepted",
                                        [&] { return box.outstanding() == 0; });
  if (!in_time) return in_time;
  if (box.rejections() == 0) return {};
  const rejection& first = box.first_rejection();
  return {first.code, std::to_string(box.rejections()) + " messages were refused, the first is " +
                          std::to_string(first.number) + " (" + std::string(name(first.code)) +
                          ": " + first.text + "); take_refusals() has them all"};
}

std::uint64_t producer::accepted_through() const {
  const auto held = state_->wire.lock();
  state_->looked();
  return state_->stream.box.accepted_through();
}

std::uint64_t producer::unaccepted() const {
  const auto held = state_->wire.lock();
  return state_->stream.box.outstanding();
}

std::vector<refusal> producer::take_refusals() {
  const auto held = state_->wire.lock();
  state_->looked();
  std::vector<refusal> made;
  for (rejection& r : state_->stream.box.take_rejections())
    made.push_back({r.number, r.code, std::move(r.text)});
  state_->stream.rejections_taken();
  return made;
}

int producer::fd() const {
  return state_->fd();
}

status producer::close(milliseconds timeout) {
  status flushed = flush(timeout);
  state_->leave();
  return flushed;
}

}  // namespace holdfast
