// subscriber: prints each message as a line, parts separated by tabs.
//
//   subscriber [tcp://127.0.0.1:5557] [TOPIC] [NAME] [COUNT]
//
// With a NAME the subscription is durable: run again, it goes on behind the last line that was
// printed. Without one it begins at the oldest message kept. Ends after COUNT messages.
#include <cstdlib>
#include <iostream>

#include <holdfast/pubsub.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "subscriber: " << what << ": " << why << "\n";
  return 1;
}

void print(const holdfast::delivery& message) {
  bool first = true;
  for (const holdfast::part_view part : message.parts()) {
    if (!first) std::cout << '\t';
    std::cout << holdfast::as_text(part);
    first = false;
  }
  std::cout << '\n';
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::subscriber_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  if (argc > 2) options.prefixes = {argv[2]};
  options.durable = argc > 3 ? argv[3] : "";
  options.start = holdfast::start_point::first();
  const long count = argc > 4 ? std::atol(argv[4]) : -1;
  auto opened = holdfast::subscriber::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::subscriber subscriber = std::move(opened).value();

  for (long seen = 0; seen != count; ++seen) {
    const auto message = subscriber.receive();
    if (!message) return report("cannot receive", message.text());
    print(*message);
    if (!std::cout.flush()) return report("cannot write", "standard output is closed");
    // For this message and all before it.
    const holdfast::status acked = subscriber.ack(*message);
    if (!acked) return report("cannot ack", acked.text());
    for (const holdfast::gap_notice& gap : subscriber.take_gaps())
      std::cerr << "subscriber: " << gap.count << " messages are gone, from " << gap.first << "\n";
  }
  const holdfast::status acked = subscriber.close();
  return acked ? 0 : report("the last messages may come again", acked.text());
}
