#include "devices/gate/gate_thread.hpp"

#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>

#include "base/clock.hpp"

namespace holdfast {

namespace {

constexpr std::size_t step_budget = 1 << 20;  // bytes a direction, then the others have a turn

std::string random_prefix(std::uint64_t seed) {
  random_source random(seed != 0 ? seed : system_seed());
  char text[64];
  std::snprintf(text, sizeof text, "holdfast-%d-%016llx%016llx-", ::getpid(),
                static_cast<unsigned long long>(random.next()),
                static_cast<unsigned long long>(random.next()));
  return text;
}

void ring(const fd& bell) noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(bell.get(), &one, sizeof one);
}

void silence(const fd& bell) noexcept {
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto n = ::read(bell.get(), &rung, sizeof rung);
}

}  // namespace

gate_thread::gate_thread(const gate_options& options)
    : options_(options),
      pool_(options.lane_bytes, options.copy),
      prefix_(random_prefix(options.seed)) {}

result<std::unique_ptr<gate_thread>> gate_thread::start(const gate_options& options) {
  std::unique_ptr<gate_thread> made(new gate_thread(options));
  if (status opened = made->open_descriptors(); !opened) return opened;
  // splice() into a closed socket raises SIGPIPE, and signals belong to the program: the thread
  // takes none.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  made->thread_ = std::thread([gate = made.get()] { gate->run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return made;
}

status gate_thread::open_descriptors() {
  epoll_ = fd(::epoll_create1(EPOLL_CLOEXEC));
  wake_fd_ = fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  event_fd_ = fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!epoll_ || !wake_fd_ || !event_fd_ || !watch(wake_fd_.get(), side::wake, 0, EPOLLIN))
    return {errc::io, "cannot open the gate: " + errno_text(errno)};
  return {};
}

gate_thread::~gate_thread() {
  if (!thread_.joinable()) return;
  post({command::kind::stop, 0, {}});
  thread_.join();
}

void gate_thread::post(command what) {
  {
    const std::lock_guard hold(exchange_);
    commands_.push_back(std::move(what));
  }
  ring(wake_fd_);
}

void gate_thread::take_events(std::vector<report>& out) {
  silence(event_fd_);
  const std::lock_guard hold(exchange_);
  std::move(reports_.begin(), reports_.end(), std::back_inserter(out));
  reports_.clear();
}

void gate_thread::say(gate_event event, std::shared_ptr<gate_link> link) {
  {
    const std::lock_guard hold(exchange_);
    reports_.push_back({std::move(event), std::move(link)});
  }
  ring(event_fd_);
}

gate_counts gate_thread::counts() const noexcept {
  const auto& c = counters_;
  return {c.accepted.load(), c.refused.load(),   c.accept_pauses.load(), c.copied_lanes.load(),
          c.bytes_in.load(), c.bytes_out.load(), c.wakeups.load()};
}

bool gate_thread::watch(int what, side as, std::uint64_t number, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = number << 2 | static_cast<std::uint64_t>(as);
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, what, &event) == 0;
}

void gate_thread::run() {
  epoll_event events[64];
  while (!stopping_) {
    std::uint64_t now_ns = monotonic_now();
    const std::uint64_t deadline = next_deadline(now_ns);
    const std::uint64_t wait_ms = (deadline - now_ns + ms_ns - 1) / ms_ns;
    const int timeout =
        deadline == never_ns ? -1 : static_cast<int>(std::min<std::uint64_t>(wait_ms, 60'000));
    const int n = ::epoll_wait(epoll_.get(), events, 64, timeout);
    counters_.wakeups.fetch_add(1, std::memory_order_relaxed);
    now_ns = monotonic_now();
    for (int i = 0; i < n; ++i) on_epoll(events[i].data.u64, events[i].events, now_ns);
    busy_now_.swap(busy_);
    for (const gate_peer peer : busy_now_)
      if (const auto found = relays_.find(peer); found != relays_.end())
        step(*found->second, now_ns);
    busy_now_.clear();
    on_time(now_ns);
    counters_.copied_lanes.store(pool_.copies(), std::memory_order_relaxed);
  }
  relays_.clear();
  doors_.clear();
}

std::uint64_t gate_thread::next_deadline(std::uint64_t now_ns) const {
  if (!busy_.empty()) return now_ns;
  std::uint64_t next = never_ns;
  for (const gate_peer peer : ending_)
    if (const auto found = relays_.find(peer); found != relays_.end())
      next = std::min(next, found->second->deadline_ns());
  for (const auto& [cookie, at] : doors_)
    if (at.paused_until_ns != 0) next = std::min(next, at.paused_until_ns);
  if (options_.peer_timeout_ms != 0 && !relays_.empty()) next = std::min(next, next_check_ns_);
  return std::max(next, now_ns);
}

void gate_thread::on_time(std::uint64_t now_ns) {
  const std::vector<gate_peer> ending(ending_);
  for (const gate_peer peer : ending)
    if (const auto found = relays_.find(peer);
        found != relays_.end() && found->second->deadline_ns() <= now_ns)
      step(*found->second, now_ns);
  resume_paused(now_ns, false);
  if (options_.peer_timeout_ms == 0 || now_ns < next_check_ns_) return;
  next_check_ns_ = now_ns + options_.peer_timeout_ms * ms_ns / 4;
  std::vector<gate_peer> all;
  for (const auto& [peer, which] : relays_) all.push_back(peer);
  for (const gate_peer peer : all) {
    relay& which = *relays_.at(peer);
    if (which.check_vanished(options_.peer_timeout_ms)) step(which, now_ns);
  }
}

void gate_thread::on_epoll(std::uint64_t key, std::uint32_t events, std::uint64_t now_ns) {
  const auto as = static_cast<side>(key & 3);
  const std::uint64_t number = key >> 2;
  if (as == side::wake) return do_commands(now_ns);
  if (as == side::door) {
    if (const auto found = doors_.find(number); found != doors_.end())
      accept_from(found->second, now_ns);
    return;
  }
  const auto found = relays_.find(number);
  if (found == relays_.end()) return;
  if (as == side::peer)
    found->second->peer_edge(events);
  else
    found->second->inner_edge(events);
  step(*found->second, now_ns);
}

void gate_thread::step(relay& which, std::uint64_t now_ns) {
  const gate_peer peer = which.id();
  const bool was_ending = which.deadline_ns() != never_ns;
  const std::uint64_t in = which.link().in.taken(), out = which.link().out.taken();
  const bool more = which.step(pool_, step_budget, now_ns, options_.drain_ms * ms_ns);
  counters_.bytes_in.fetch_add(which.link().in.taken() - in, std::memory_order_relaxed);
  counters_.bytes_out.fetch_add(which.link().out.taken() - out, std::memory_order_relaxed);
  if (which.over()) {
    gate_event down{
        gate_event::kind::peer_down, which.end(), peer, which.cookie(), {}, which.why()};
    forget(peer, now_ns);  // first: when the device hears of it, its descriptors are closed
    return say(std::move(down));
  }
  if (which.tell_drained()) say({gate_event::kind::peer_drained, {}, peer, which.cookie(), {}, {}});
  if (more && std::find(busy_.begin(), busy_.end(), peer) == busy_.end()) busy_.push_back(peer);
  if (!was_ending && which.deadline_ns() != never_ns) ending_.push_back(peer);
}

void gate_thread::forget(gate_peer peer, std::uint64_t now_ns) {
  const auto found = relays_.find(peer);
  if (const auto at = doors_.find(found->second->cookie());
      at != doors_.end() && at->second.peers > 0)
    --at->second.peers;
  std::erase(ending_, peer);
  relays_.erase(found);
  resume_paused(now_ns, true);
}

}  // namespace holdfast
