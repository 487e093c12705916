// publisher: publishes each line of standard input, and ends when all are accepted. The topic is
// what stands before the first space.
//
//   publisher [tcp://127.0.0.1:5557]
#include <iostream>
#include <string>

#include <holdfast/pubsub.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "publisher: " << what << ": " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::publisher_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  auto opened = holdfast::publisher::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::publisher publisher = std::move(opened).value();

  std::uint64_t sent = 0;
  for (std::string line; std::getline(std::cin, line); ++sent) {
    const std::size_t space = std::min(line.find(' '), line.size());
    const std::string topic = line.substr(0, space);
    const std::string text = line.substr(std::min(space + 1, line.size()));
    const auto number = publisher.send(topic, text);
    if (!number) return report("cannot publish", number.text());
  }

  // From here on the device has to keep its word; before, nothing was promised.
  const holdfast::status accepted = publisher.flush();
  if (!accepted) return report("not everything was accepted", accepted.text());
  std::cout << sent << " messages accepted\n";
  return publisher.close().ok() ? 0 : 1;
}
