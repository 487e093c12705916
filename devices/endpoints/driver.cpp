#include "devices/endpoints/driver.hpp"

#include <algorithm>
#include <unordered_map>

#include "devices/endpoints/link.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t poll_ms_max = 3'600'000;

/// Rounded up: waking early would spin until the deadline.
int timeout_ms(std::uint64_t deadline_ns, std::uint64_t now_ns) noexcept {
  if (deadline_ns == never_ns) return -1;
  const std::uint64_t left = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
  return static_cast<int>(std::min((left + ms_ns - 1) / ms_ns, poll_ms_max));
}

}  // namespace

result<std::shared_ptr<driver>> driver::of(void* foreign) {
  static std::mutex guard;
  static std::unordered_map<void*, std::weak_ptr<driver>> drivers;
  const std::lock_guard held(guard);
  if (auto found = drivers[foreign].lock()) return found;
  auto in = foreign ? result<context>(context::adopt(foreign)) : context::library();
  if (!in) return in.take_status();
  auto made = std::make_shared<driver>(std::move(*in));
  std::erase_if(drivers, [](const auto& entry) { return entry.second.expired(); });
  drivers[foreign] = made;
  return made;
}

driver::driver(context in) : context_(std::move(in)), thread_([this] { run(); }) {}

driver::~driver() {
  {
    const std::lock_guard held(mutex_);
    ending_ = true;
  }
  changed_ = true;
  wake_.signal();
  thread_.join();
}

void driver::add(link& what) {
  what.attach_driver(this);
  const std::lock_guard held(mutex_);
  coming_.push_back(&what);
  changed_ = true;
  wake_.signal();
}

void driver::remove(link& what) {
  std::unique_lock held(mutex_);
  going_.push_back(&what);
  changed_ = true;
  wake_.signal();
  applied_.wait(held,
                [&] { return std::find(going_.begin(), going_.end(), &what) == going_.end(); });
}

void driver::run() {
  for (;;) {
    if (changed_.exchange(false)) {
      take_changes(system_now());
      const std::lock_guard held(mutex_);
      if (ending_) return;
    }
    sleep(turn_all(system_now()));
  }
}

void driver::take_changes(instant at) {
  const std::lock_guard held(mutex_);
  for (link* what : coming_) {
    links_.push_back(what);
    what->start(context_, at);
  }
  coming_.clear();
  for (link* what : going_) {
    std::erase(links_, what);
    what->finish();
  }
  going_.clear();
  polled_.clear();
  applied_.notify_all();
}

// polled_ is empty when what was polled is not what there is: then every link is asked.
bool driver::turn_all(instant at) {
  bool busy = false;
  for (std::size_t i = 0; i < links_.size(); ++i) {
    link& one = *links_[i];
    const short raised = polled_.empty() ? POLLIN : polled_[i + 1].revents;
    const bool readable =
        (raised & ~POLLOUT) != 0 && (polled_.empty() || one.lent_until_ns() <= at.now_ns);
    const bool writable = (raised & POLLOUT) != 0;
    if (one.due(readable || writable, at)) busy |= one.turn(readable, at);
  }
  return busy;
}

// Of one that is lent to a caller only what that does not look for.
pollfd driver::what_to_poll(const link& one, bool lent) noexcept {
  const short wanted = static_cast<short>(one.poll_events() & (lent ? ~POLLIN : ~0));
  return {wanted != 0 ? one.fd() : -1, wanted, 0};
}

void driver::sleep(bool busy) {
  polled_.clear();
  polled_.push_back({wake_.fd(), POLLIN, 0});
  std::uint64_t deadline = never_ns;
  const std::uint64_t now = monotonic_now();
  lent_.clear();
  for (link* what : links_) {
    const std::uint64_t lent_until = what->lent_until_ns();
    const bool lent = lent_until > now;
    if (lent_until == never_ns) lent_.push_back(what);
    polled_.push_back(what_to_poll(*what, lent));
    deadline = std::min({deadline, what->deadline_ns(), lent ? lent_until : never_ns});
  }
  for (link* what : lent_) what->left_out();
  asleep_until_ns_ = deadline;
  asleep_ = true;
  // A mark set before asleep_ was seen to be false sent no signal: look for it once more.
  for (link* what : links_) busy |= what->dirty() || what->deadline_ns() < deadline;
  for (link* what : lent_) busy |= what->lent_until_ns() != never_ns;
  busy |= changed_.load();
  const int wait = busy ? 0 : timeout_ms(deadline, now);
  if (::poll(polled_.data(), polled_.size(), wait) < 0)
    for (pollfd& one : polled_) one.revents = 0;
  asleep_ = false;
  if (polled_[0].revents != 0) wake_.clear();
}

}  // namespace holdfast
