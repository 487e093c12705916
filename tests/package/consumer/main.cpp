// What a stranger's program does first: includes a public header, links, runs.
#include <cstdio>
#include <holdfast/pipeline.hpp>

int main() {
  holdfast::producer_options options;
  options.endpoint = "nowhere";
  const auto producer = holdfast::producer::open(options);
  std::printf("%s\n", producer.kind() == holdfast::errc::invalid ? "invalid" : "unexpected");
  return producer.ok() ? 1 : 0;
}
