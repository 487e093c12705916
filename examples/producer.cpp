// producer: sends each line of standard input as a message, and ends when all are accepted.
//
//   producer [tcp://127.0.0.1:5557] [NAME]
//
// With a NAME the program can be run again on the same input, after any failure, without doubling a
// line: line n is message n.
#include <cstdio>
#include <iostream>
#include <string>

#include <holdfast/pipeline.hpp>

namespace {

int report(std::string_view what, std::string_view why) {
  std::cerr << "producer: " << what << ": " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::producer_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  options.id = argc > 2 ? argv[2] : "";
  auto opened = holdfast::producer::open(options);
  if (!opened) return report("cannot start", opened.text());
  holdfast::producer producer = std::move(opened).value();

  std::uint64_t sent = 0;
  for (std::string line; std::getline(std::cin, line);) {
    const holdfast::part_view part = holdfast::as_part(line);
    const auto number =
        options.id.empty() ? producer.send({part}) : producer.send_at(sent + 1, {&part, 1});
    if (!number) return report("cannot send", number.text());
    ++sent;
  }

  // From here on the device has to keep its word; before, nothing was promised.
  const holdfast::status accepted = producer.flush();
  for (const holdfast::refusal& r : producer.take_refusals())
    std::cerr << "producer: message " << r.number << " was refused: " << r.reason << "\n";
  if (!accepted) return report("not everything was accepted", accepted.text());
  std::cout << sent << " messages accepted\n";
  return producer.close().ok() ? 0 : 1;
}
