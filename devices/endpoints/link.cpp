#include "devices/endpoints/link.hpp"

#include <poll.h>

#include <algorithm>
#include <utility>

#include "base/check.hpp"

namespace holdfast {
namespace {

constexpr std::size_t receive_batch = 64;
constexpr std::size_t send_batch = 64;
constexpr int spins_before_sleep = 200;  // the other side holds the lock for a microsecond
constexpr int bye_linger_ms = 200;       // what BYE may take to leave
constexpr std::uint64_t lend_ns = ms_ns, defer_ns = 2 * ms_ns;

int milliseconds_until(std::chrono::steady_clock::time_point until) {
  if (until == std::chrono::steady_clock::time_point::max()) return -1;
  const auto now = std::chrono::nanoseconds(monotonic_now());  // the same clock
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until.time_since_epoch() - now);
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1 << 30));
}

}  // namespace

link::link(link_options options, std::function<void()> on_news)
    : options_(std::move(options)),
      on_news_(std::move(on_news)),
      client_(options_.session, random_source(system_seed())),
      received_(receive_batch) {}

std::unique_lock<std::mutex> link::lock() const {
  std::unique_lock held(mutex_, std::defer_lock);
  for (int i = 0; i < spins_before_sleep; ++i)
    if (held.try_lock()) return held;
  held.lock();
  return held;
}

bool link::wait(std::unique_lock<std::mutex>& held, std::chrono::steady_clock::time_point until) {
  ++waiting_;
  bool heard = true;
  if (until == std::chrono::steady_clock::time_point::max())
    news_.wait(held);
  else
    heard = news_.wait_until(held, until) == std::cv_status::no_timeout;
  --waiting_;
  return heard;
}

bool link::wait_driving(std::unique_lock<std::mutex>& held,
                        std::chrono::steady_clock::time_point until) {
  const int fd = fd_;
  if (leading_ || fd < 0) return wait(held, until);
  leading_ = true;
  lent_until_ns_ = never_ns;
  held.unlock();
  pollfd waited[2] = {{fd, poll_events(), 0}, {leader_.fd(), POLLIN, 0}};
  const bool heard = ::poll(waited, 2, milliseconds_until(until)) > 0;
  held.lock();
  leading_ = false;
  const bool others = waiting_ > 0;
  held.unlock();
  if (waited[1].revents != 0) leader_.clear();
  const instant at = system_now();
  const short raised = heard ? waited[0].revents : short{};
  const bool busy = raised != 0 && turn((raised & ~POLLOUT) != 0, at);
  if (busy || waits_to_write_) driver_->wake_if_asleep();
  driver_->wake_before(deadline_ns_);
  lent_until_ns_ = others ? 0 : at.now_ns + lend_ns;
  if (left_out_.exchange(false)) driver_->wake_if_asleep();
  held.lock();
  return heard || at.now_ns < static_cast<std::uint64_t>(until.time_since_epoch().count());
}

void link::poke() {
  // Whoever finds it dirty changed the stream before the turn that will clean it reads the stream.
  if (!dirty_.load() && !dirty_.exchange(true)) driver_->wake_if_asleep();
}

void link::defer() {
  if (!dirty_.load() && !dirty_.exchange(true)) driver_->wake_before(monotonic_now() + defer_ns);
}

const status& link::failure() const noexcept {
  return failure_.ok() ? client_.failure() : failure_;
}

void link::start(const context& in, instant at) {
  context_ = &in;
  const auto held = lock();
  client_.start(at);
  dirty_ = true;
}

bool link::turn(bool readable, instant at) {
  const std::lock_guard mine(turn_);
  dirty_ = false;
  if (readable && line_) line_->rouse();
  more_ = arrived_ = (readable || arrived_) && line_ && receive();
  step(at);
  if (close_) disconnect();
  if (open_) connect();
  const bool was_blocked = blocked_;
  const bool busy =
      send() || more_ || (was_blocked && !blocked_);  // then there may be more to send
  if (busy) dirty_ = true;
  return busy;
}

void link::push() {
  const std::unique_lock mine(turn_, std::try_to_lock);
  if (!mine) return poke();
  if (!line_ || lost_) return poke();
  const instant at = system_now();
  dirty_ = false;
  more_ = false;
  {
    const auto held = lock();
    take_frames(at);
  }
  if (send() || more_ || arrived_ || waits_to_write_) return poke();
  driver_->wake_before(deadline_ns_);
}

// What is ready to go (a worker's last acks) leaves before BYE.
void link::finish() {
  const std::lock_guard mine(turn_);
  {
    const auto held = lock();
    client_frame frame;
    while (unsent_.size() < send_batch && client_.next(frame, system_now()))
      unsent_.push_back(std::move(frame));
    client_.stop();
    while (client_.next(frame, system_now())) unsent_.push_back(std::move(frame));
    if (failure_.ok()) failure_ = {errc::closed, "the endpoint was closed"};
    on_news_();
    news_.notify_all();
    leader_.signal();
  }
  send();
  if (line_ && blocked_) {
    line_->linger(bye_linger_ms);
    send();
  }
  if (line_) line_->linger(bye_linger_ms);
  disconnect();
}

// True if there may be more.
bool link::receive() {
  received_count_ = 0;
  while (received_count_ < receive_batch) {
    const line::outcome outcome = line_->receive(received_[received_count_]);
    if (outcome == io::would_block || !settle(outcome)) return false;
    if (outcome == io::done) ++received_count_;
  }
  return true;
}

// The one stretch of a turn under the lock: what came goes in, what is to go comes out.
void link::step(instant at) {
  const auto held = lock();
  for (std::size_t i = 0; i < received_count_; ++i) {
    client_.on_frame(received_[i], at);
    received_[i].clear();
  }
  const bool lost = std::exchange(lost_, false);
  if (lost) client_.on_disconnect(at);
  const bool ticked = at.now_ns >= deadline_ns_;
  if (ticked) client_.on_tick(at);
  close_ = client_.take_close() || lost;
  open_ = client_.take_open();
  if (close_) {
    unsent_.clear();
    blocked_ = false;
  }
  take_frames(at);
  if (received_count_ == 0 && !ticked && !lost) return;
  received_count_ = 0;
  on_news_();
  if (waiting_ > 0) news_.notify_all();
  if (leading_) leader_.signal();
}

void link::take_frames(instant at) {
  if (!blocked_) {
    client_frame frame;
    while (unsent_.size() < send_batch && client_.next(frame, at))
      unsent_.push_back(std::move(frame));
    more_ |= unsent_.size() == send_batch;
  }
  deadline_ns_ = client_.next_deadline();
}

void link::connect() {
  auto made = line::open(*context_, options_.where, options_.max_message);
  if (!made) return fail(made.take_status());
  line_ = std::move(*made);
  fd_ = line_->fd();
}

void link::disconnect() noexcept {
  fd_ = -1;
  waits_to_write_ = false;
  line_.reset();
}

// True if there is something to do at once: room for what is still unsent, or frames that came; to
// send may have used up the connection's one signal for them.
bool link::send() {
  if (!line_) unsent_.clear();
  if (!line_ || lost_) return lost_;
  const bool any = !unsent_.empty();
  send_frames();
  if (!line_ || !settle(line_->flush())) return lost_;
  waits_to_write_ = line_->waits_to_write();
  if (!any) return false;
  const socket::readiness news = line_->untold();
  arrived_ = arrived_ || news.readable;
  return arrived_ || (blocked_ && news.writable);
}

void link::send_frames() {
  std::size_t sent = 0;
  line::outcome outcome = io::done;
  for (; sent < unsent_.size(); ++sent) {
    const client_frame& frame = unsent_[sent];
    const part_out parts[2] = {{frame.first_part(), frame.long_head ? &frame.long_head : nullptr},
                               {frame.body.bytes(), &frame.body}};
    outcome = line_->send({parts, frame.body ? 2u : 1u});
    if (outcome != io::done) break;
  }
  blocked_ = outcome == io::would_block;
  if (!settle(outcome)) return;
  unsent_.erase(unsent_.begin(), unsent_.begin() + static_cast<std::ptrdiff_t>(sent));
}

/// False: the connection is of no more use.
bool link::settle(line::outcome outcome) {
  if (outcome == io::failed) fail({errc::closed, "the ZeroMQ context was closed"});
  lost_ = lost_ || outcome == io::unreachable;
  return outcome != io::failed && outcome != io::unreachable;
}

short link::poll_events() const noexcept {
  return static_cast<short>(waits_to_write_ ? POLLIN | POLLOUT : POLLIN);
}

void link::fail(status why) {
  disconnect();
  unsent_.clear();
  const auto held = lock();
  client_.stop();
  if (failure_.ok()) failure_ = std::move(why);
  on_news_();
  news_.notify_all();
  leader_.signal();
}

}  // namespace holdfast
