#include "tests/devices/block_path.hpp"

#include <poll.h>

#include "tests/take.hpp"

namespace holdfast::testing {
namespace {

device_options options_of(const std::string& data) {
  channel_options work;
  work.settings().name = "work";
  work.settings().durability = level::process;
  work.reliable.push_back("@tcp://127.0.0.1:*");
  device_options made;
  made.name = "lab";
  made.data = data;
  made.admin = false;
  made.channels.push_back(std::move(work));
  return made;
}

outbox_options outbox_of() {
  outbox_options made;
  made.need = level::process;
  return made;
}

}  // namespace

block_path::block_path()
    : zmq_(testing::take(context::open())),
      lab_(testing::take(device_loop::open(zmq_, options_of(directory_.path + "/data")))),
      box_(outbox_of()),
      work_({}),
      producer_(std::make_unique<endpoint_side>(where(), box_)),
      worker_(std::make_unique<endpoint_side>(where(), work_)) {
  producer_->start(zmq_);
  worker_->start(zmq_);
}

block_path::~block_path() {
  CHECK(lab_->finish().ok());
}

std::string block_path::where() const {
  return lab_->endpoints().front().endpoint;
}

block_path::endpoint_side::endpoint_side(const std::string& where, client_stream& stream)
    : wire(
          [&] {
            link_options made;
            made.where = testing::take(parse_endpoint(where, endpoint_role::connect));
            return made;
          }(),
          stream, [] {}) {}

void block_path::endpoint_side::turn() {
  pollfd waited{wire.fd(), wire.poll_events(), 0};
  const bool readable = wire.fd() >= 0 && ::poll(&waited, 1, 0) > 0 && (waited.revents & POLLIN);
  wire.turn(readable, system_now());
}

void block_path::submit(std::uint64_t messages) {
  const bytes_view part(text_);
  std::uint64_t taken = 0;  // one check for all: checks cost more than messages
  for (std::uint64_t i = 0; i < messages; ++i)
    taken += box_.submit({&part, 1}, monotonic_tick()).ok();
  REQUIRE(taken == messages);
}

void block_path::turn_producer() {
  producer_->turn();
}

void block_path::turn_worker() {
  worker_->turn();
}

void block_path::take() {
  delivered_run run;
  for (; work_.take_run(run); ++received_blocks_) {
    entry_walker walker(run.rest);
    entry message;
    while (walker.next(message)) {
      ++received_;
      received_bytes_ += message.data.size();
    }
    REQUIRE(
        work_.acked(run.next, static_cast<std::uint16_t>(run.head.count - run.next.index)).ok());
  }
}

}  // namespace holdfast::testing
