#include "devices/cli/reliable.hpp"

#include "base/clock.hpp"
#include "devices/transport/endpoint.hpp"

namespace holdfast::cli {

status fill_endpoint(const std::string& text, endpoint_options& into) {
  constexpr std::uint64_t message_bytes_max = 1ull << 30;  // the device states the real limit
  auto where = parse_endpoint(text, endpoint_role::connect);
  if (!where) return where.take_status();
  if (where->binds())
    return {errc::invalid, "endpoint '" + text +
                               "': a reliable client connects; write it without @, or add --plain"};
  into.endpoint = where->address;
  into.max_message = message_bytes_max;
  return {};
}

milliseconds to_ms(const std::optional<std::uint64_t>& timeout_ns) {
  if (!timeout_ns) return forever;
  return milliseconds((*timeout_ns + ms_ns - 1) / ms_ns);
}

}  // namespace holdfast::cli
