#include "devices/sidecar/sidecar.hpp"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <future>

#include "devices/logging.hpp"
#include "devices/transport/endpoint.hpp"

namespace holdfast {
namespace {

using side = sidecar_options::side;
constexpr int again_ms = 1000;  // after a failure
constexpr std::chrono::seconds answer_wait{5};

using opener = result<std::unique_ptr<bridge>> (*)(const bridge_options&);

struct side_row {
  side what;
  const char* direction;
  opener open;
};

constexpr side_row rows[] = {
    {side::pull, "up", open_uplink}, {side::sub, "up", open_uplink},
    {side::rep, "up", open_asking},  {side::push, "down", open_downlink},
    {side::pub, "down", open_feed},  {side::worker, "down", open_working},
};

const side_row& row_of(side what) {
  return *std::find_if(std::begin(rows), std::end(rows),
                       [what](const side_row& row) { return row.what == what; });
}

bool own_stream(const std::string& address) {
  return address.ends_with(".dlq") || address.ends_with(".reply");
}

std::string hex(const bytes16_id& id) {
  constexpr char digits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : id) {
    const auto value = static_cast<unsigned>(byte);
    text += {digits[value >> 4], digits[value & 15]};
  }
  return text;
}

// What `ask` says on the device's thread.
template <class T>
result<T> from_device(const device_thread& of, std::function<T(device_loop&)> ask) {
  const auto answer = std::make_shared<std::promise<T>>();
  auto coming = answer->get_future();
  of.call([answer, ask = std::move(ask)](device_loop& loop) { answer->set_value(ask(loop)); });
  if (coming.wait_for(answer_wait) != std::future_status::ready)
    return {errc::timeout, "the device beside does not answer"};
  return coming.get();
}

}  // namespace

bridge_thread::bridge_thread(const context& in, const sidecar_options& options,
                             device_thread& beside)
    : in_(in), options_(options), beside_(beside) {}

bridge_thread::~bridge_thread() {
  const status ended = stop();
}

void bridge_thread::start() {
  thread_ = std::thread([this] { live(); });
}

status bridge_thread::stop() {
  stopping_ = true;
  stopper_.signal();
  if (thread_.joinable()) thread_.join();
  return outcome_.copy();
}

void bridge_thread::live() {
  while (!stopping_) {
    status ended = once();
    if (ended || stopping_) continue;
    bridge_report failed;
    failed.state = "failed";
    failed.failure = std::string(ended.text());
    tell(failed);
    if (ended.kind() == errc::fenced || ended.kind() == errc::corrupt) {
      outcome_ = {ended.kind(), "the sidecar ends: " + failed.failure};
      return beside_.stop();
    }
    log_warning("sidecar: " + failed.failure);
    pollfd asked{stopper_.fd(), POLLIN, 0};
    (void)::poll(&asked, 1, again_ms);
  }
}

status bridge_thread::once() {
  auto options = options_now();
  if (!options) return options.take_status();
  auto made = row_of(options_.what).open(*options);
  if (!made) return made.take_status();
  return (*made)->run(stopper_.fd());
}

result<bridge_options> bridge_thread::options_now() {
  auto id =
      from_device<std::string>(beside_, [](device_loop& loop) { return hex(loop.opened().id); });
  if (!id) return id.take_status();
  auto far = parse_endpoint(options_.far, endpoint_role::connect);
  if (!far) return far.take_status();
  bridge_options made;
  made.context = in_.handle();
  made.local = sidecar_endpoint;
  made.far = options_.far;
  made.far_address = options_.far_address;
  made.deadline_ns = options_.deadline_ns;
  made.id = std::move(*id);
  made.directory = options_.device.data;
  made.local_floor = [this] { return local_floor(); };
  made.local_workers = [this] { return local_workers(); };
  made.tell = [this](const bridge_report& report) { tell(report); };
  return made;
}

result<std::uint64_t> bridge_thread::local_floor() {
  return from_device<std::uint64_t>(beside_, [](device_loop& loop) -> std::uint64_t {
    for (const channel_stats& channel : loop.report())
      for (const stream_stats& stream : channel.streams)
        if (!own_stream(stream.address)) return stream.ack_floor;
    return 1;
  });
}

result<std::uint64_t> bridge_thread::local_workers() {
  return from_device<std::uint64_t>(beside_, [](device_loop& loop) {
    std::uint64_t workers = 0;
    for (const channel_stats& channel : loop.report())
      for (const stream_stats& stream : channel.streams)
        if (!own_stream(stream.address)) workers += stream.consumers.size();
    return workers;
  });
}

void bridge_thread::tell(const bridge_report& report) {
  device_note note;
  note.words = {{"direction", row_of(options_.what).direction},
                {"far", options_.far},
                {"state", report.state}};
  if (!report.failure.empty()) note.words.emplace_back("failure", report.failure);
  const std::uint64_t now = monotonic_now();
  note.figures = {
      {"carried", report.carried},
      {"through", report.through},
      {"waiting", report.waiting},
      {"refused", report.refused},
      {"missing", report.missing},
      {"silent_ms", report.silent_since_ns ? (now - report.silent_since_ns) / ms_ns : 0}};
  beside_.call([note = std::move(note)](device_loop& loop) { loop.set_note(note); });
}

}  // namespace holdfast
