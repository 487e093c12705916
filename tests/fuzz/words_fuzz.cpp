// Arbitrary text as the small things people and peers write: endpoints, sizes, durations, levels,
// moments, escapes, lines of messages, names close to others. The first byte says which. What was
// understood is understood the same when it is written again.
#include "devices/cli/line_format.hpp"
#include "devices/config/nearest.hpp"
#include "devices/config/units.hpp"
#include "devices/export/time_text.hpp"
#include "devices/transport/endpoint.hpp"
#include "tests/fuzz/again.hpp"

namespace holdfast::testing {
namespace {

void endpoints(const std::string& text) {
  for (const endpoint_role role : {endpoint_role::bind, endpoint_role::connect}) {
    const auto made = parse_endpoint(text, role);
    must_be_told(made);
    if (!made) continue;
    const auto again = parse_endpoint(made->text(), endpoint_role::bind);
    must(again.ok() && again->text() == made->text() && again->transport == made->transport);
  }
}

void units(const std::string& text) {
  must_be_told(parse_bytes(text));
  must_be_told(parse_duration(text));
  if (const auto number = parse_number(text); number)
    must(*parse_number(std::to_string(*number)) == *number);
  const auto level = parse_durability(text);
  must_be_told(level);
  if (level) must(to_text(*parse_durability(to_text(*level))) == to_text(*level));
}

void moments(const std::string& text) {
  const auto moment = parse_time_text(text);
  must_be_told(moment);
  if (moment) must(*parse_time_text(time_text(*moment)) == *moment);
}

void lines(const std::string& line) {
  const auto parts = cli::parse_json_line(line);
  must_be_told(parts);
  if (!parts) return;
  const std::vector<std::string_view> views(parts->begin(), parts->end());
  std::string written;
  cli::write_json_line(views, {}, nullptr, written);
  must(*cli::parse_json_line(written) == *parts);
}

void others(const std::string& text) {
  must_be_told(cli::unescape(text));
  constexpr std::array<std::string_view, 3> known = {"pipeline", "pubsub", "reqrep"};
  const std::string_view near = nearest(text, known);
  must(near.empty() || std::find(known.begin(), known.end(), near) != known.end());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  fuzz_input in(data, size);
  const auto what = in.take<std::uint8_t>() % 5;
  const std::string text = in.rest_text();
  switch (what) {
    case 0: endpoints(text); break;
    case 1: units(text); break;
    case 2: moments(text); break;
    case 3: lines(text); break;
    default: others(text); break;
  }
  return 0;
}
