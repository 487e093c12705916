// Arbitrary text as what a peer answers who is asked for its status: it may be another version, or
// no device at all. It becomes text, and the findings on it JSON; or the answer is refused.
#include <nlohmann/json.hpp>

#include "devices/cli/doctor_text.hpp"
#include "devices/cli/status_text.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

// Whether it is a device's status is one question, asked three times.
void check(const std::string& answer) {
  const bool object = nlohmann::json::parse(answer, nullptr, false).is_object();
  const auto lines = cli::status_text(answer);
  const auto told = cli::doctor_text(answer);
  const auto found = cli::doctor_json(answer);
  must(lines.ok() == object && told.ok() == object && found.ok() == object);
  if (!object) return must(!lines.text().empty() && !told.text().empty() && !found.text().empty());
  must(lines->starts_with("device ") && lines->ends_with('\n') && told->starts_with("device "));
  const auto findings = nlohmann::json::parse(*found, nullptr, false);
  must(findings.is_object() && findings["endpoints"].is_array());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  check(fuzz_input(data, size).rest_text());
  return 0;
}
