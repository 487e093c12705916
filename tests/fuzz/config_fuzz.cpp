// Arbitrary text as a configuration file. Every mistake has its place in the text and its words, in
// order; a configuration without mistakes passes all that a command line has to pass.
#include "devices/config/config.hpp"
#include "devices/transport/endpoint.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

void check_errors(const std::vector<config_error>& errors, const std::string& text) {
  const auto lines =
      std::count(text.begin(), text.end(), '\n') + 2 + std::count(text.begin(), text.end(), '\r');
  const config_error* last = nullptr;
  for (const config_error& e : errors) {
    must(e.line >= 1 && e.column >= 1 && e.line <= lines && !e.text.empty());
    must(to_text("x", e).starts_with("x:" + std::to_string(e.line) + ":"));
    must(!last || std::pair(last->line, last->column) <= std::pair(e.line, e.column));
    last = &e;
  }
}

void check_channel(const channel_options& c) {
  must(!c.settings().name.empty());
  for (const plain_input& in : c.in) must(parse_endpoint(in.endpoint, endpoint_role::bind).ok());
  for (const plain_output& out : c.out) {
    must(parse_endpoint(out.endpoint, endpoint_role::bind).ok());
    must(out.transcode_from.empty() == out.transcode_to.empty());
  }
  for (const std::string& at : c.reliable) must(parse_endpoint(at, endpoint_role::bind).ok());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  const std::string text = fuzz_input(data, size).rest_text();
  const holdfast::configuration made = holdfast::parse_config(text);
  check_errors(made.errors, text);
  if (!made.errors.empty()) return 0;
  must(!made.devices.empty() && check_devices(made.devices).ok());
  for (const auto& device : made.devices) {
    must(!device.name.empty() && !device.data.empty());
    for (const auto& channel : device.channels) check_channel(channel);
  }
  return 0;
}
