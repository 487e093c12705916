// typed_producer: sends readings as C++ values. What a reading is on the wire is said once, by
// MSGPACK_DEFINE_MAP; the device of typed.yaml hands it to typed_reader.py as JSON.
//
//   holdfast run examples/typed.yaml &  examples/typed_reader.py tcp://127.0.0.1:5556 3 &
//   typed_producer [tcp://127.0.0.1:5557 [COUNT]]
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include <holdfast/msgpack.hpp>
#include <holdfast/pipeline.hpp>

namespace {

struct reading {
  std::uint64_t number = 0;
  std::string sensor;
  double celsius = 0;
  std::vector<int> counts;
  MSGPACK_DEFINE_MAP(number, sensor, celsius, counts)
};

int report(std::string_view what, std::string_view why) {
  std::cerr << "typed_producer: " << what << ": " << why << "\n";
  return 1;
}

}  // namespace

int main(int argc, char** argv) {
  holdfast::producer_options options;
  options.endpoint = argc > 1 ? argv[1] : "tcp://127.0.0.1:5557";
  const auto count = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 3;
  auto opened = holdfast::producer::open(options);
  if (!opened) return report("cannot start", opened.text());

  holdfast::typed out(std::move(opened).value());
  for (std::uint64_t n = 1; n <= count; ++n) {
    const reading value{
        n, "north", 20.5 + static_cast<double>(n % 4), {1, 2, static_cast<int>(n % 100)}};
    const auto sent = out.send({holdfast::as_part("readings")}, value);
    if (!sent) return report("cannot send", sent.text());
  }
  if (const holdfast::status accepted = out->flush(); !accepted)
    return report("not everything was accepted", accepted.text());
  std::cout << count << " readings accepted\n";
  return out->close().ok() ? 0 : 1;
}
