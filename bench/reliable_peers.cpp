#include <algorithm>
#include <vector>

#include "bench/peers.hpp"
#include "holdfast/pipeline.hpp"

namespace holdfast::bench {
namespace {

constexpr std::uint64_t report_every = 64;  // messages between updates of a shared counter

producer open_producer(const std::string& endpoint, std::size_t bytes, durability level) {
  producer_options options;
  options.endpoint = endpoint;
  options.level = level;
  options.max_message = std::max<std::uint64_t>(bytes, 1024);
  auto opened = producer::open(std::move(options));
  if (!opened) give_up(std::string(opened.text()));
  return std::move(opened).value();
}

}  // namespace

void reliable_sender(const line& at) {
  producer out = open_producer(at.in, at.bytes, durability::disk);
  const std::vector<char> body(at.bytes, 'x');
  const std::string_view text(body.data(), body.size());
  std::uint64_t sent = 0;
  while (!at.shared->stop.load(std::memory_order_relaxed)) {
    if (sent - at.shared->received.load(std::memory_order_relaxed) >= at.ahead &&
        sent >= at.ahead) {
      yield_shortly();
      continue;
    }
    const auto number = out.send(text, milliseconds(100));
    if (!number && number.kind() != errc::timeout) give_up(std::string(number.text()));
    if (number && ++sent % report_every == 0)
      at.shared->sent.store(sent, std::memory_order_relaxed);
  }
}

void reliable_receiver(const line& at) {
  worker_options options;
  options.endpoint = at.out;
  auto opened = worker::open(std::move(options));
  if (!opened) give_up(std::string(opened.text()));
  worker in = std::move(opened).value();
  std::uint64_t received = 0;
  while (!at.shared->stop.load(std::memory_order_relaxed)) {
    const auto got = in.receive_batch(milliseconds(100));
    if (!got) continue;
    for (const delivery& one : *got) {
      if (one.parts().bytes() != at.bytes) give_up("a message of the wrong size came through");
      ++received;
    }
    if (const status done = in.ack(*got); !done) give_up(std::string(done.text()));
    at.shared->received.store(received, std::memory_order_relaxed);
  }
}

struct accept_timer::state {
  producer out;
  std::vector<char> body;
};

accept_timer::accept_timer(const std::string& endpoint, std::size_t bytes)
    : state_(new state{open_producer(endpoint, bytes, durability::process),
                       std::vector<char>(bytes, 'x')}) {}
accept_timer::~accept_timer() = default;

double accept_timer::send_one() {
  const double begin = now_seconds();
  const auto number = state_->out.send(std::string_view(state_->body.data(), state_->body.size()));
  if (!number) give_up(std::string(number.text()));
  if (const status done = state_->out.flush(milliseconds(10'000)); !done)
    give_up(std::string(done.text()));
  return now_seconds() - begin;
}

}  // namespace holdfast::bench
