#include "devices/endpoints/wire_line.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "devices/gate/connector.hpp"
#include "devices/zmtp/parting.hpp"
#include "patterns/block.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t unsent_max = 512 << 10;

zmtp::intake_limits limits_for(std::uint64_t max_message) {
  const std::uint64_t most =
      std::min(max_message + block_bytes_max, std::uint64_t{2} * message_bytes_hard_max);
  return {most, parts_max + 1, most};
}

}  // namespace

// A device that cannot be connected to may come: that is for a later line to see.
wire_line::wire_line(const std::string& address, std::uint64_t max_message) {
  auto begun = begin_to_connect(address);
  if (begun) wire_.emplace(zmtp::deals, std::move(*begun), address, limits_for(max_message));
}

wire_line::~wire_line() = default;

void wire_line::rouse() noexcept {
  if (wire_) wire_->set_readable(false);
}

line::outcome wire_line::send(std::span<const part_out> parts) {
  if (!wire_) return outcome::unreachable;
  if (!wire_->ready()) return outcome::would_block;
  zmtp::outbox& out = wire_->out();
  if (out.bytes() >= unsent_max && flush() != outcome::done) return outcome::would_block;
  out.add(parts, 0);
  return outcome::done;
}

line::outcome wire_line::flush() {
  if (!wire_) return outcome::unreachable;
  const io written = wire_->flush();
  return written == io::failed ? outcome::unreachable : written;
}

line::outcome wire_line::receive(std::vector<buffer_ref>& parts) {
  if (!wire_) return outcome::unreachable;
  switch (wire_->advance()) {
    case zmtp::seen::failed: return outcome::unreachable;
    case zmtp::seen::dropped: return outcome::too_large;
    case zmtp::seen::message: break;
    case zmtp::seen::incomplete:
    case zmtp::seen::progress: wire_->rest(); return outcome::would_block;
  }
  parts.clear();
  for (const bytes_view part : wire_->parts()) parts.push_back(wire_->kept(part));
  return outcome::done;
}

void wire_line::linger(int ms) noexcept {
  if (!wire_) return;
  zmtp::flush_until(*wire_, monotonic_now() + static_cast<std::uint64_t>(ms) * ms_ns);
  zmtp::read_away(*wire_);
}

}  // namespace holdfast
