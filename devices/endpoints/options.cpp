#include "devices/endpoints/options.hpp"

#include "patterns/block.hpp"
#include "patterns/frame_codec.hpp"

namespace holdfast {

result<link_options> make_link_options(const endpoint_options& options, std::string id) {
  auto where = parse_endpoint(options.endpoint, endpoint_role::connect);
  if (!where) return where.take_status();
  if (id.size() > id_bytes_max) return {errc::invalid, "a producer's id has at most 255 bytes"};
  if (options.heartbeat < milliseconds(1) || options.heartbeat > milliseconds(heartbeat_ms_max))
    return {errc::invalid, "a heartbeat is 1 ms to 1 h"};
  if (options.heartbeat_misses == 0)
    return {errc::invalid, "heartbeat_misses must be at least 1; 3 is usual"};
  if (options.max_message == 0 || options.max_message > message_bytes_hard_max)
    return {errc::invalid, "max_message is 1 byte to 1 GiB"};
  link_options made;
  made.where = std::move(*where);
  made.max_message = options.max_message;
  made.session.producer_id = std::move(id);
  made.session.heartbeat_ms = static_cast<std::uint32_t>(options.heartbeat.count());
  made.session.heartbeat_misses = options.heartbeat_misses;
  return made;
}

result<link_options> make_link_options(const queue_endpoint_options& options, std::string id) {
  if (options.queue.size() > address_bytes_max)
    return {errc::invalid, "a queue's name has at most 255 bytes"};
  return make_link_options(static_cast<const endpoint_options&>(options), std::move(id));
}

deadline deadline_after(milliseconds timeout) noexcept {
  constexpr milliseconds far = std::chrono::hours(24 * 365);
  if (timeout > far) return deadline::max();
  // The steady clock is the monotonic one (libstdc++, libc++).
  return deadline(std::chrono::nanoseconds(monotonic_now())) + timeout;
}

status out_of_time(milliseconds timeout, const char* what) {
  if (timeout <= milliseconds(0)) return {errc::would_block, what};
  return {errc::timeout, std::string(what) + " after " + std::to_string(timeout.count()) + " ms"};
}

}  // namespace holdfast
