#include "devices/transport/poller.hpp"

#include <algorithm>
#include <limits>
#include <vector>
#include <zmq.hpp>

#include "base/clock.hpp"

namespace holdfast {
namespace {

short mask(bool readable, bool writable) noexcept {
  return static_cast<short>((readable ? ZMQ_POLLIN : 0) | (writable ? ZMQ_POLLOUT : 0));
}

/// Rounded up: waking early would spin until the deadline.
long timeout_ms(std::uint64_t timeout_ns) noexcept {
  if (timeout_ns == never_ns) return -1;
  const std::uint64_t ms = timeout_ns / ms_ns + (timeout_ns % ms_ns ? 1 : 0);
  return static_cast<long>(std::min<std::uint64_t>(ms, std::numeric_limits<int>::max()));
}

}  // namespace

struct poller::items {
  std::vector<zmq_pollitem_t> all;
};

poller::poller() : items_(std::make_unique<items>()) {}
poller::~poller() = default;
poller::poller(poller&&) noexcept = default;
poller& poller::operator=(poller&&) noexcept = default;

std::size_t poller::add(const socket& what, bool readable, bool writable) {
  items_->all.push_back({what.handle(), 0, mask(readable, writable), 0});
  return items_->all.size() - 1;
}

// zmq_poll rejects a negative descriptor, so such a place asks for nothing on a valid one.
std::size_t poller::add_fd(int fd, bool readable, bool writable) {
  const bool there = fd >= 0;
  items_->all.push_back(
      {nullptr, there ? fd : 0, there ? mask(readable, writable) : static_cast<short>(0), 0});
  return items_->all.size() - 1;
}

void poller::want(std::size_t index, bool readable, bool writable) noexcept {
  items_->all[index].events = mask(readable, writable);
}

void poller::clear() noexcept {
  items_->all.clear();
}

std::size_t poller::size() const noexcept {
  return items_->all.size();
}

bool poller::wait(std::uint64_t timeout_ns) {
  auto& all = items_->all;
  const int ready = zmq_poll(all.data(), static_cast<int>(all.size()), timeout_ms(timeout_ns));
  if (ready >= 0) return true;
  for (auto& item : all) item.revents = 0;
  return false;
}

bool poller::readable(std::size_t index) const noexcept {
  return items_->all[index].revents & ZMQ_POLLIN;
}

bool poller::writable(std::size_t index) const noexcept {
  return items_->all[index].revents & ZMQ_POLLOUT;
}

}  // namespace holdfast
