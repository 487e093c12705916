// load_worker: a worker under load (load_receiver.hpp).
//
//   load_worker --endpoint EP --log FILE [--hold N] [--work MS] [--salt N] [--heartbeat MS]
//
// work: between what it received and its ack.
// hold: receives N messages one by one and keeps them unacked (prints "holding"); `release` on
// standard input makes it ack them and go on as the others do.
#include "holdfast/pipeline.hpp"
#include "tests/sockets/load_receiver.hpp"

namespace {

holdfast::worker open_worker(const load::arguments& given, std::uint64_t hold) {
  holdfast::worker_options options;
  options.endpoint = given.text("endpoint");
  options.batches = hold == 0;
  options.credit_messages = static_cast<std::uint32_t>(hold);
  if (const auto beat = given.number("heartbeat")) options.heartbeat = holdfast::milliseconds(beat);
  auto opened = holdfast::worker::open(options);
  if (!opened) load::fail(opened.text());
  return std::move(opened).value();
}

void hold_some(load::receiver<holdfast::worker>& receiver, std::uint64_t count) {
  std::vector<holdfast::delivery> held;
  while (held.size() < count) {
    auto got = receiver.from.receive();
    if (!got) load::fail(got.text());
    receiver.log.write(receiver.check(*got));
    held.push_back(std::move(got).value());
  }
  load::say("holding");
  load::wait_told();
  for (const auto& one : held) (void)receiver.from.ack(one).ok();
}

}  // namespace

int main(int argc, char** argv) {
  const load::arguments given(argc, argv);
  const std::uint64_t hold = given.number("hold");
  load::receiver receiver(open_worker(given, hold), given, 0);
  load::say("running");
  if (hold > 0) hold_some(receiver, hold);
  receiver.run();
}
