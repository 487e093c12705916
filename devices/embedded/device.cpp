#include "holdfast/device.hpp"

#include <algorithm>
#include <utility>

#include "devices/config/config.hpp"
#include "devices/embedded/device_thread.hpp"
#include "devices/logging.hpp"

namespace holdfast {
namespace {

std::uint64_t ns_of(milliseconds timeout) {
  if (timeout == forever) return never_ns;
  return static_cast<std::uint64_t>(std::max<std::int64_t>(timeout.count(), 0)) * ms_ns;
}

status all_errors(const std::string& from, const configuration& read) {
  std::string text;
  for (const config_error& error : read.errors)
    text += (text.empty() ? "" : "\n") + to_text(from, error);
  return {errc::invalid, std::move(text)};
}

result<device_options> choose(configuration read, const std::string& name) {
  std::string known;
  for (device_options& one : read.devices) {
    if (one.name == name || (name.empty() && read.devices.size() == 1)) return std::move(one);
    known += (known.empty() ? "" : ", ") + one.name;
  }
  if (!name.empty())
    return {errc::not_found, "the configuration has no device '" + name + "' but " + known};
  return {errc::invalid, "the configuration has several devices (" + known + "): name one"};
}

}  // namespace

struct device::state {
  state(context in, device_options what) : zmq(std::move(in)), thread(zmq, std::move(what)) {}

  context zmq;
  device_thread thread;
  std::vector<device_endpoint> endpoints;

  static result<device> start(const std::string& from, configuration read,
                              const device_setup& setup);
};

result<device> device::state::start(const std::string& from, configuration read,
                                    const device_setup& setup) {
  if (!read.errors.empty()) return all_errors(from, read);
  auto chosen = choose(std::move(read), setup.name);
  if (!chosen) return chosen.take_status();
  chosen->zero_copy = false;  // a map of a truncated file raises SIGBUS
  if (!setup.log.empty()) {
    auto level = parse_log_level(setup.log);
    if (!level) return level.take_status();
    set_log_level(*level);
  }
  auto in = setup.context ? result<context>(context::adopt(setup.context)) : context::library();
  if (!in) return in.take_status();
  auto made = std::make_unique<state>(std::move(*in), std::move(*chosen));
  made->thread.start();
  if (status open = made->thread.wait_open(); !open) return open;
  for (bound_endpoint& one : made->thread.endpoints())
    made->endpoints.push_back(
        {std::move(one.channel), std::move(one.role), std::move(one.endpoint)});
  return device(std::move(made));
}

result<device> device::start(const std::string& yaml, const device_setup& setup) {
  return state::start("configuration", parse_config(yaml), setup);
}

result<device> device::start_file(const std::string& path, const device_setup& setup) {
  auto read = load_config(path);
  if (!read) return read.take_status();
  return state::start(path, std::move(*read), setup);
}

device::device(std::unique_ptr<state> made) noexcept : state_(std::move(made)) {}
device::device(device&&) noexcept = default;
device& device::operator=(device&&) noexcept = default;
device::~device() = default;

const std::string& device::name() const noexcept {
  return state_->thread.name();
}

bool device::ready() const {
  return !state_->thread.stopping();
}

const std::vector<device_endpoint>& device::endpoints() const noexcept {
  return state_->endpoints;
}

result<std::string> device::status_json(milliseconds timeout) const {
  return state_->thread.status_json(ns_of(timeout));
}

status device::wait(milliseconds timeout) const {
  return state_->thread.wait_ended(ns_of(timeout));
}

status device::stop() {
  state_->thread.stop();
  return state_->thread.wait_ended();
}

}  // namespace holdfast
