#include "sim/wiring.hpp"

#include <algorithm>

namespace holdfast::sim {

wiring::wiring(connection how, surroundings in, std::uint64_t seed)
    : in_(in),
      to_(how.to),
      clock_(in.time, how.drift_ppm),
      client_(std::move(how.session), random_source(seed)),
      self_(std::make_shared<wiring*>(this)) {}

wiring::~wiring() {
  in_.net.close(line_);
}

void wiring::start() {
  client_.start(at());
  pump();
}

void wiring::pause(std::uint64_t for_ns) {
  paused_until_ = in_.time.now() + for_ns;
  pump();
}

void wiring::pump() {
  exchange();
  if (after) after();
  exchange();  // what the application did in `after`
  const std::uint64_t now = in_.time.now();
  const std::uint64_t next = paused() ? paused_until_ : clock_.when(client_.next_deadline());
  if (next == never_ns || (wake_at_ <= next && wake_at_ > now)) return;
  wake_at_ = std::max(next, now + 1);
  in_.time.at(wake_at_, [weak = std::weak_ptr(self_), when = wake_at_] {
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
    show(frame, false);
    if (before) before(frame, left_ns);
    left_ns_ = left_ns;
    client_.on_frame(frame, at());
    if (after) after();
  }
  if (std::exchange(ended_, false)) client_.on_disconnect(at());
  client_.on_tick(at());
  pump();
}

void wiring::receive(multipart frame, std::uint64_t left_ns) {
  unread_.emplace_back(std::move(frame), left_ns);
  if (!paused()) wake();
}

void wiring::end() {
  ended_ = true;
  if (!paused()) wake();
}

void wiring::show(const multipart& frame, bool to_device) {
  in_.judged.frame({line_, to_device, frame[0].data(), frame[0].size(), in_.time.now()});
}

line_id wiring::open() {
  const auto with_this = [weak = std::weak_ptr(self_)](auto&& call) {
    if (const auto self = weak.lock()) call(**self);
  };
  return in_.net.open(
      to_,
      [with_this](multipart frame, std::uint64_t left) {
        with_this([&](wiring& self) { self.receive(std::move(frame), left); });
      },
      [with_this] { with_this([](wiring& self) { self.end(); }); });
}

void wiring::exchange() {
  if (paused()) return;
  if (client_.take_close()) {
    in_.net.close(std::exchange(line_, 0));
    unread_.clear();
    ended_ = false;
  }
  if (client_.take_open()) line_ = open();
  for (client_frame out; client_.next(out, at()); out = {}) {
    multipart frame{copy_to_buffer(out.first_part())};
    if (out.body) frame.push_back(std::move(out.body));
    if (line_ == 0) continue;
    show(frame, true);
    in_.net.send(line_, std::move(frame));
  }
}

}  // namespace holdfast::sim
