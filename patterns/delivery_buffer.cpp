#include "patterns/delivery_buffer.hpp"

#include "base/checksum.hpp"

namespace holdfast {

checked_body check_delivery(const deliver& f, bytes_view body) {
  const body_verdict verdict = walk(body, f.count, f.props_mask, message_bytes_hard_max);
  if (!verdict.ok) return {};
  checked_body made{body_state::intact, verdict.voids > 0};
  if (f.whole) {
    if (checksum(body) != f.body_sum) made.state = body_state::corrupt;
    return made;
  }
  entry_walker walker(body);
  for (entry e; walker.next(e);)
    if (!e.sum_holds()) made.state = body_state::corrupt;
  return made;
}

void delivery_buffer::add(const deliver& f, const buffer_ref& body, delivery_ticket first,
                          bool voids, std::uint16_t skip) {
  entry_walker walker(body.bytes());
  entry e;
  for (std::uint16_t i = 0; i < skip; ++i) walker.next(e);
  first.index = static_cast<std::uint16_t>(first.index + skip);
  give_bytes(body.size() - walker.left());
  queue_.push_back({f, std::make_shared<const buffer_ref>(body), body.bytes().last(walker.left()),
                    first, voids});
}

bool delivery_buffer::take(delivered_run& run, entry& message) {
  if (queue_.empty()) return false;
  run = queue_.front();
  entry_walker walker(run.rest);
  walker.next(message);  // checked when it came; not void, see skip_voids
  step_over(walker.left());
  return true;
}

bool delivery_buffer::take_run(delivered_run& run) {
  if (queue_.empty()) return false;
  run = std::move(queue_.front());
  queue_.pop_front();
  give_bytes(run.rest.size());
  return true;
}

void delivery_buffer::step_over(std::size_t left) noexcept {
  delivered_run& first = queue_.front();
  give_bytes(first.rest.size() - left);
  first.rest = first.rest.last(left);
  ++first.next.index;
}

}  // namespace holdfast
