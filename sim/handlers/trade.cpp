#include "sim/handlers/trade.hpp"

#include "devices/endpoints/handed.hpp"

namespace holdfast::sim {

void trade::arrived(const multipart& frame, std::uint64_t left_ns) {
  if (frame.size() == 2)
    from_[frame[1].data()] = {left_ns, epoch()};
  else
    hear(frame, left_ns);
}

message_key trade::came(channel_kind channel, const delivered_run& run, const message_parts& got,
                        std::uint32_t subscription) {
  const origin& from = from_[run.body->data()];
  const stage::recognised seen = at_.of.recognise(got);
  delivery how;
  how.key = seen.key;
  how.exact = seen.exact;
  how.who = at_.who;
  how.channel = channel;
  how.where = {static_cast<std::uint32_t>(channel), from.epoch, run.sequence()};
  how.left_ns = from.left_ns;
  how.left_real_ns = at_.in.time.real_at(from.left_ns);
  how.now_ns = now();
  how.session = at_.number * 1'000'000ull + at_.life * 1000 + at_.wires.session().sessions();
  how.subscription = subscription;
  how.again = run.head.redelivered != 0;
  return at_.in.judged.delivered(how);
}

message_parts parts_of(const entry& message) {
  message_parts got;
  for_each_part(message, [&](bytes_view part) { got.emplace_back(part.begin(), part.end()); });
  return got;
}

void trade::hand(delivered_run& run, entry message, channel_kind channel, job& into,
                 std::uint32_t subscription) {
  into.key = came(channel, run, parts_of(message), subscription);
  hide_last_part(message.lengths, message.data);
  into.message = handed::one(run, message);
}

void hide_last_part(bytes_view& lengths, bytes_view& data) {
  if (lengths.empty()) return;
  const auto last = load<std::uint32_t>(lengths.data() + lengths.size() - sizeof(std::uint32_t));
  lengths = lengths.first(lengths.size() - sizeof last);
  data = data.first(data.size() - last);
}

}  // namespace holdfast::sim
