// Arbitrary parts as a Majordomo frame. What was understood is put together again from what the
// decoder found, with the parts it came in.
#include "patterns/envelope.hpp"
#include "patterns/reqrep/mdp_frames.hpp"
#include "tests/fuzz/input.hpp"

namespace holdfast::testing {
namespace {

using parts = std::vector<std::string>;

std::string text(bytes_view bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

parts in_envelope(const buffer_ref& envelope) {
  parts made;
  must(for_each_envelope_part(envelope.bytes(), [&](bytes_view p) { made.push_back(text(p)); }));
  return made;
}

parts with_body(parts before, const mdp_frame& f) {
  for (const buffer_ref& part : f.body) before.push_back(text(part.bytes()));
  return before;
}

void check_client(const frame_in& frame, const mdp_frame& f, const parts& all) {
  must(f.header >= 1 && f.header <= mdp::stack_parts_max + 1);
  must(with_body(in_envelope(mdp_reply_envelope(frame, f)), f) == all);
  const std::string code = "200";
  parts answer = all;
  if (!f.body.empty()) answer.pop_back();
  answer.push_back(code);
  must(in_envelope(mmi_answer(frame, f, as_bytes_view(code.data(), code.size()))) == answer);
  if (service_fits(f.service)) must(f.service.size() <= mdp::service_bytes_max);
}

// A reply goes the way its request went, but for the command.
void check_reply(const mdp_frame& f, const parts& all) {
  parts request = with_body(in_envelope(mdp_request_envelope(f.client)), f);
  request[2] = all[2];
  must(request == all);
}

void check_worker(mdp_kind kind, mdp_command command, const parts& all) {
  must(in_envelope(mdp_control(command)) == parts(all.begin(), all.begin() + 3));
  must(all.size() == (kind == mdp_kind::worker_ready ? 4u : 3u));
}

void check(const frame_in& frame, const parts& all) {
  const mdp_frame f = decode_mdp(frame);
  switch (f.kind) {
    case mdp_kind::client_request: return check_client(frame, f, all);
    case mdp_kind::worker_reply: return check_reply(f, all);
    case mdp_kind::worker_ready: return check_worker(f.kind, mdp_command::ready, all);
    case mdp_kind::worker_heartbeat: return check_worker(f.kind, mdp_command::heartbeat, all);
    case mdp_kind::worker_disconnect: return check_worker(f.kind, mdp_command::disconnect, all);
    case mdp_kind::worker_broken:
      must(all.size() >= 2 && all[0].empty() && all[1] == "MDPW01");
      break;
    case mdp_kind::malformed: break;
  }
  must(f.body.empty() && f.service.empty() && f.client.empty());
}

}  // namespace
}  // namespace holdfast::testing

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace holdfast::testing;
  std::vector<holdfast::buffer_ref> received;
  parts all;
  for (const holdfast::bytes_view piece : fuzz_input(data, size).take_pieces(24)) {
    received.push_back(holdfast::copy_to_buffer(piece));
    all.push_back(text(piece));
  }
  holdfast::frame_in frame;
  frame.head = received[0];
  frame.parts = std::span(received).subspan(1);
  check(frame, all);
  return 0;
}
