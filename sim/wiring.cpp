#include "sim/wiring.hpp"

#include <algorithm>

namespace holdfast::sim {

wiring::wiring(session_client_options options, scheduler& time, network& net, std::uint64_t seed)
    : time_(time),
      net_(net),
      client_(std::move(options), random_source(seed)),
      self_(std::make_shared<wiring*>(this)) {}

wiring::~wiring() {
  net_.close(line_);
}

void wiring::start() {
  client_.start(time_.at());
  pump();
}

void wiring::stop() {
  client_.stop();
  pump();
}

void wiring::pump() {
  exchange();
  if (after) after();
  exchange();  // what the application did in `after`
  const std::uint64_t next = paused() ? paused_until_ : client_.next_deadline();
  if (next == never_ns || (wake_at_ <= next && wake_at_ > time_.now())) return;
  wake_at_ = std::max(next, time_.now() + 1);
  time_.at(wake_at_, [weak = std::weak_ptr(self_), when = wake_at_] {
    const auto self = weak.lock();
    if (self && (*self)->wake_at_ == when) (*self)->wake();
  });
}

void wiring::wake() {
  wake_at_ = never_ns;
  if (paused()) return pump();
  const auto alive = self_;  // an application may end this in `after`
  std::vector<std::pair<multipart, std::uint64_t>> unread = std::move(unread_);
  unread_.clear();
  for (auto& [frame, left_ns] : unread) {
    if (before) before(frame, left_ns);
    left_ns_ = left_ns;
    client_.on_frame(frame, time_.at());
    if (after) after();
  }
  client_.on_tick(time_.at());
  pump();
}

void wiring::receive(multipart frame, std::uint64_t left_ns) {
  unread_.emplace_back(std::move(frame), left_ns);
  if (!paused()) wake();
}

void wiring::exchange() {
  if (paused()) return;
  if (client_.take_close()) {
    net_.close(std::exchange(line_, 0));
    unread_.clear();
  }
  if (client_.take_open())
    line_ = net_.open(line_kind::reliable,
                      [weak = std::weak_ptr(self_)](multipart frame, std::uint64_t left_ns) {
                        if (const auto self = weak.lock())
                          (*self)->receive(std::move(frame), left_ns);
                      });
  for (client_frame out; client_.next(out, time_.at()); out = {}) {
    multipart frame{copy_to_buffer(out.first_part())};
    if (out.body) frame.push_back(std::move(out.body));
    if (line_ != 0) net_.send(line_, std::move(frame));
  }
}

}  // namespace holdfast::sim
