// worker: prints each message as a line, parts separated by tabs, and acks it after it was written.
//
//   worker [tcp://127.0.0.1:5557] [COUNT]
//
// Ends after COUNT messages, else runs until it is killed: what it had not acked goes to another.
#include <cstdlib>
#include <iostream>

#include <holdfast/pipeline.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "worker: " << what << ": " << why << "\n";
  return 1;
}

void print(const holdfast::delivery& message) {
  bool first = true;
  for (const holdfast::part_view part : message.parts()) {
    if (!first) std::cout << '\t';
    std::cout << holdfast::as_text(part);
    first = false;
  }
  if (message.redelivered()) std::cout << "\t(may have been here before)";
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::worker_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  options.batches = false;  // one by one: shared fairly among workers
  const long count = argc > 2 ? std::atol(argv[2]) : -1;
  auto opened = holdfast::worker::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::worker worker = std::move(opened).value();

  for (long done = 0; done != count; ++done) {
    const auto message = worker.receive();
    if (!message) return report("cannot receive", message.text());
    print(*message);
    if (!std::cout.flush()) return report("cannot write", "standard output is closed");

    // Stale means that the session was lost meanwhile and the message comes again: no error.
    const holdfast::status acked = worker.ack(*message);
    if (!acked && acked.kind() != holdfast::errc::stale) return report("cannot ack", acked.text());
  }
  const holdfast::status acked = worker.flush();
  return acked ? 0 : report("some messages will come again", acked.text());
}
