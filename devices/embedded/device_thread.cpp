#include "devices/embedded/device_thread.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

namespace holdfast {

device_thread::device_thread(const context& in, device_options what,
                             std::function<void()> on_change)
    : name_(what.name), in_(in), options_(std::move(what)), on_change_(std::move(on_change)) {}

device_thread::~device_thread() {
  stop();
  if (thread_.joinable()) thread_.join();
}

void device_thread::start() {
  thread_ = std::thread([this] { live(); });
}

void device_thread::live() {
  auto made = device_loop::open(in_, std::move(options_));
  if (!made) return end(made.take_status());
  {
    const std::lock_guard held(guard_);
    running_ = made->get();
    endpoints_ = running_->endpoints();
    now_ = stage::running;
    if (stop_asked_) running_->stop();
    changed_.notify_all();
  }
  on_change_();
  run(**made);
  status outcome = (*made)->finish();
  {
    const std::lock_guard held(guard_);
    running_ = nullptr;
    calls_.clear();
  }
  made->reset();
  end(std::move(outcome));
}

void device_thread::run(device_loop& loop) {
  std::vector<std::function<void(device_loop&)>> calls;
  while (!loop.stop_asked()) {
    loop.turn(never_ns);
    {
      const std::lock_guard held(guard_);
      calls.swap(calls_);
    }
    for (const auto& what : calls) what(loop);
    calls.clear();
  }
}

void device_thread::end(status why) {
  {
    const std::lock_guard held(guard_);
    outcome_ = std::move(why);
    now_ = stage::ended;
    changed_.notify_all();
  }
  on_change_();
}

void device_thread::stop() {
  const std::lock_guard held(guard_);
  stop_asked_ = true;
  if (running_ != nullptr) running_->stop();
}

device_thread::stage device_thread::at() const {
  const std::lock_guard held(guard_);
  return now_;
}

bool device_thread::stopping() const {
  const std::lock_guard held(guard_);
  return stop_asked_ || now_ == stage::ended;
}

bool device_thread::wait(std::unique_lock<std::mutex>& held, std::uint64_t timeout_ns,
                         const std::function<bool()>& until) const {
  constexpr std::uint64_t far_ns = 365ull * 24 * 3600 * second_ns;
  if (timeout_ns > far_ns) {
    changed_.wait(held, until);
    return true;
  }
  return changed_.wait_for(held, std::chrono::nanoseconds(timeout_ns), until);
}

status device_thread::wait_open() const {
  std::unique_lock held(guard_);
  wait(held, never_ns, [&] { return now_ != stage::opening; });
  return outcome_.copy();
}

status device_thread::wait_ended(std::uint64_t timeout_ns) const {
  std::unique_lock held(guard_);
  if (wait(held, timeout_ns, [&] { return now_ == stage::ended; })) return outcome_.copy();
  return {errc::timeout, "device '" + name_ + "' has not ended"};
}

std::vector<bound_endpoint> device_thread::endpoints() const {
  const std::lock_guard held(guard_);
  return endpoints_;
}

void device_thread::call(std::function<void(device_loop&)> what) const {
  const std::lock_guard held(guard_);
  if (running_ == nullptr) return;
  calls_.push_back(std::move(what));
  running_->nudge();
}

result<std::string> device_thread::status_json(std::uint64_t timeout_ns) const {
  const auto answer = std::make_shared<std::optional<std::string>>();  // outlives a time-out
  call([this, answer](device_loop& loop) {
    std::string made = loop.status_json();
    const std::lock_guard held(guard_);
    *answer = std::move(made);
    changed_.notify_all();
  });
  std::unique_lock held(guard_);
  const bool told =
      wait(held, timeout_ns, [&] { return answer->has_value() || running_ == nullptr; });
  if (*answer) return std::move(**answer);
  if (told) return {errc::closed, "device '" + name_ + "' is not running"};
  return {errc::timeout, "device '" + name_ + "' did not answer in time"};
}

}  // namespace holdfast
