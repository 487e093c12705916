#include "devices/cli/device_host.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "devices/cli/notify.hpp"
#include "devices/cli/report.hpp"
#include "devices/embedded/device_thread.hpp"
#include "devices/logging.hpp"
#include "devices/sidecar/sidecar.hpp"

namespace holdfast::cli {
namespace {

// The usual soft limit is for programs that call select(), which nothing here does.
void raise_descriptor_limit() {
  struct rlimit descriptors {};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return;
  descriptors.rlim_cur = descriptors.rlim_max;
  (void)::setrlimit(RLIMIT_NOFILE, &descriptors);
}

}  // namespace

// News of a device, for the owner's thread.
struct device_host::wakeup {
  const int news = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  ~wakeup() { ::close(news); }
  void tell() const noexcept { (void)::eventfd_write(news, 1); }
};

device_host::device_host(const context& in, stop_signals& signals,
                         std::vector<device_options> devices)
    : in_(in), signals_(signals), wakeup_(std::make_unique<wakeup>()) {
  raise_descriptor_limit();
  for (device_options& options : devices)
    devices_.push_back(
        std::make_unique<device_thread>(in, std::move(options), [this] { wakeup_->tell(); }));
}

device_host::~device_host() = default;

int device_host::run(const make_companion& beside) {
  using stage = device_thread::stage;
  for (const auto& device : devices_) device->start();
  if (wait_until_open()) {
    if (beside) companion_ = beside(in_, *devices_[0]);
    if (companion_) companion_->start();
    announce();
    while (std::none_of(devices_.begin(), devices_.end(),
                        [](const auto& device) { return device->at() == stage::ended; }))
      if (!wait_for_event()) break;
  }
  stop_all();
  while (std::any_of(devices_.begin(), devices_.end(),
                     [](const auto& device) { return device->at() != stage::ended; }))
    if (!wait_for_event()) {
      complain("a second signal: ending without waiting; nothing accepted is lost");
      ::_exit(failed);
    }
  return how_they_ended();
}

bool device_host::wait_until_open() {
  using stage = device_thread::stage;
  for (;;) {
    bool all = true;
    for (const auto& device : devices_) {
      if (device->at() == stage::ended) return false;
      all = all && device->at() == stage::running;
    }
    if (all) return true;
    if (!wait_for_event()) return false;
  }
}

void device_host::announce() const {
  for (const auto& device : devices_)
    for (const bound_endpoint& bound : device->endpoints())
      log_info(device->name() + ": " + bound.channel + " " + bound.role + " " + bound.endpoint);
  std::puts("holdfast: ready");
  std::fflush(stdout);
  notify_service("READY=1");
}

bool device_host::wait_for_event() {
  pollfd waits[] = {{signals_.fd(), POLLIN, 0}, {wakeup_->news, POLLIN, 0}};
  if (::poll(waits, 2, freed_memory::look_every_ms) <= 0) {
    freed_.look();
    return true;
  }
  eventfd_t count = 0;
  (void)::eventfd_read(wakeup_->news, &count);
  return !signals_.take();
}

void device_host::stop_all() {
  notify_service("STOPPING=1");
  // First: what it has carried is acked while the device still takes acks.
  if (companion_) companion_outcome_ = companion_->stop();
  for (const auto& device : devices_) device->stop();
}

int device_host::how_they_ended() const {
  int worst = companion_outcome_ ? done : failed;
  if (!companion_outcome_) complain(companion_outcome_.text());
  for (const auto& device : devices_) {
    const status outcome = device->wait_ended();
    if (outcome) continue;
    complain(outcome.text());  // names the device
    worst = std::max<int>(worst, outcome.kind() == errc::corrupt ? corruption : failed);
  }
  return worst;
}

}  // namespace holdfast::cli
