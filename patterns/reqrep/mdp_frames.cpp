#include "patterns/reqrep/mdp_frames.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <vector>

#include "patterns/envelope.hpp"

namespace holdfast {
namespace {

constexpr std::string_view client_header = "MDPC01", worker_header = "MDPW01", mmi_prefix = "mmi.";

bytes_view view_of(std::string_view text) noexcept {
  return as_bytes_view(text.data(), text.size());
}

bool same(bytes_view a, std::string_view b) noexcept {
  return std::ranges::equal(a, view_of(b));
}

std::size_t size_of(const frame_in& frame) noexcept {
  return 1 + frame.parts.size();
}

bytes_view part(const frame_in& frame, std::size_t index) noexcept {
  return index == 0 ? frame.head.bytes() : frame.parts[index - 1].bytes();
}

/// The parts from `index`, which is not 0, on.
std::span<const buffer_ref> rest(const frame_in& frame, std::size_t index) noexcept {
  return frame.parts.subspan(index - 1);
}

/// Index of the first empty part; the frame's size if there is none within the stack's limits.
std::size_t delimiter(const frame_in& frame) noexcept {
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < size_of(frame) && i <= mdp::stack_parts_max; ++i) {
    if (part(frame, i).empty()) return i;
    bytes += part(frame, i).size();
    if (bytes > mdp::stack_bytes_max) break;
  }
  return size_of(frame);
}

mdp_frame decode_client(const frame_in& frame, std::size_t header) noexcept {
  mdp_frame f;
  if (size_of(frame) < header + 2) return f;
  f.kind = mdp_kind::client_request;
  f.header = header;
  f.service = part(frame, header + 1);
  f.body = rest(frame, header + 2);
  return f;
}

mdp_frame decode_worker(const frame_in& frame) noexcept {
  mdp_frame f;
  f.kind = mdp_kind::worker_broken;
  const std::size_t size = size_of(frame);
  if (size < 3 || part(frame, 2).size() != 1) return f;
  switch (static_cast<mdp_command>(part(frame, 2)[0])) {
    case mdp_command::ready:
      if (size != 4) return f;
      f.service = part(frame, 3);
      f.kind = mdp_kind::worker_ready;
      return f;
    case mdp_command::reply:
      if (size < 5 || !part(frame, 4).empty()) return f;
      f.client = part(frame, 3);
      f.body = rest(frame, 5);
      f.kind = mdp_kind::worker_reply;
      return f;
    case mdp_command::heartbeat:
      if (size == 3) f.kind = mdp_kind::worker_heartbeat;
      return f;
    case mdp_command::disconnect:
      if (size == 3) f.kind = mdp_kind::worker_disconnect;
      return f;
    case mdp_command::request: return f;  // is sent to workers only
  }
  return f;
}

std::vector<bytes_view> head_parts(const frame_in& frame, const mdp_frame& request) {
  std::vector<bytes_view> parts;
  for (std::size_t i = 0; i <= request.header; ++i) parts.push_back(part(frame, i));
  parts.push_back(request.service);
  return parts;
}

}  // namespace

mdp_frame decode_mdp(const frame_in& frame) noexcept {
  const std::size_t header = delimiter(frame) + 1;
  if (header >= size_of(frame)) return {};
  if (same(part(frame, header), client_header)) return decode_client(frame, header);
  if (header == 1 && same(part(frame, header), worker_header)) return decode_worker(frame);
  return {};
}

bool service_fits(bytes_view service) noexcept {
  return !service.empty() && service.size() <= mdp::service_bytes_max &&
         std::ranges::find(service, std::byte{0}) == service.end();
}

bool is_mmi(bytes_view service) noexcept {
  return service.size() >= mmi_prefix.size() && same(service.first(mmi_prefix.size()), mmi_prefix);
}

buffer_ref mdp_reply_envelope(const frame_in& frame, const mdp_frame& request) {
  return make_envelope(head_parts(frame, request));
}

buffer_ref mdp_request_envelope(bytes_view client) {
  const std::array command{std::byte{static_cast<std::uint8_t>(mdp_command::request)}};
  return make_envelope({{}, view_of(worker_header), command, client, {}});
}

buffer_ref mdp_control(mdp_command command) {
  const std::array bytes{std::byte{static_cast<std::uint8_t>(command)}};
  return make_envelope({{}, view_of(worker_header), bytes});
}

buffer_ref mmi_answer(const frame_in& frame, const mdp_frame& request, bytes_view code) {
  std::vector<bytes_view> parts = head_parts(frame, request);
  for (const buffer_ref& one : request.body) parts.push_back(one.bytes());
  if (!request.body.empty()) parts.pop_back();
  parts.push_back(code);
  return make_envelope(parts);
}

}  // namespace holdfast
