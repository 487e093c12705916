#include "journal/chain_copy.hpp"

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include "journal/lock_file.hpp"

namespace holdfast {
namespace {

// How often a live tail is looked at, and how often a chain that does not hold together is.
constexpr std::uint64_t look_every_ms = 1;
constexpr unsigned looks_at_chain_max = 200;

void pause() {
  std::this_thread::sleep_for(std::chrono::milliseconds(look_every_ms));
}

}  // namespace

result<bool> chain_copy::copy() {
  const std::vector<listed_segment>& all = view_.checkpoint().segments;
  segment_header now = all.empty() ? view_.first() : all.back().header;
  if (all.empty() && now.previous_end != 0) return no_beginning(now);
  const std::uint64_t chain_from = now.base;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  goal_ = view_.newest().base + view_.newest().size;
  for (;;) {
    copies_.need(now.base);
    if (options_.before_segment) options_.before_segment(now);
    segment_copy& at = copies_.of(now);
    const segment_header* next = view_.successor(now.base);
    const segment_header following = next ? *next : now;
    auto went = next ? copy_sealed(at, following.previous_end) : copy_last(at);
    if (!went) return went.take_status();
    if (*went == step::lost) {
      copies_.forget(now.base);
      return false;
    }
    if (*went == step::done) break;
    now = following;
  }
  judge_damage();
  // Freed and used again after it was copied: the checkpoint is too old.
  return !copies_.used_again(chain_from);
}

result<bool> chain_copy::no_beginning(const segment_header& lowest) const {
  if (journal_in_use(source_)) return false;
  return {errc::corrupt, source_ + ": no checkpoint can be read and the segment before " +
                             segment_name(lowest.slot) +
                             " is lost, so no state can be made of this journal; copy the whole "
                             "directory with cp -a instead"};
}

result<chain_copy::step> chain_copy::copy_sealed(segment_copy& at, std::uint64_t end) {
  auto copied = at.copy_to(end);
  if (!copied) return copied.take_status();
  if (*copied == segment_copy::outcome::gone) return step::lost;
  looked_beyond_ = was_dead_ = false;
  const std::uint64_t mark = watermark();
  if (mark < goal_) return step::look_again;
  limit_ = mark;
  return step::done;
}

// Where no successor is known: what there is now, and whether that is the tail.
result<chain_copy::step> chain_copy::copy_last(segment_copy& at) {
  const std::uint64_t base = at.header().base;
  auto copied = at.copy_on();
  if (!copied) return copied.take_status();
  if (*copied == segment_copy::outcome::gone) return step::lost;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  if (view_.successor(base) != nullptr) return step::look_again;
  if (!view_.has(base)) return step::lost;
  if (view_.newest().base == base) return at_tail(at);
  if (!journal_in_use(source_))
    return {errc::corrupt, source_ + ": a segment behind " + segment_name(at.header().slot) +
                               " is lost, so the copy would have a hole; let a device open the "
                               "journal once, or copy the whole directory with cp -a"};
  if (++unlinked_ > looks_at_chain_max) return step::lost;
  pause();
  return step::look_again;
}

std::uint64_t chain_copy::watermark() const {
  return std::max(view_.checkpoint().header.position, copies_.watermark());
}

result<chain_copy::step> chain_copy::at_tail(segment_copy& at) {
  const bool live = journal_in_use(source_);
  if (!live && !std::exchange(was_dead_, true)) return step::look_again;  // its last words
  if (live) was_dead_ = false;
  std::uint64_t mark = watermark();
  if (!live || !looked_beyond_) {
    const segment_copy::beyond behind = at.look_beyond();
    looked_beyond_ = behind.next == 0;
    if (behind.next != 0 && behind.next == at.end()) return step::look_again;
    mark = std::max(mark, behind.watermark);
    std::uint64_t bad_to = behind.next <= mark ? behind.next : 0;
    if (!live && bad_to == 0 && at.end() < mark && mark <= at.limit()) bad_to = mark;
    if (bad_to != 0) return pass_damage(at, bad_to);
  }
  if (live) return wait_for_sync(at, mark);
  limit_ = at.end();
  return step::done;
}

result<chain_copy::step> chain_copy::pass_damage(segment_copy& at, std::uint64_t to) {
  auto copied = at.copy_damaged(to);
  if (!copied) return copied.take_status();
  return *copied == segment_copy::outcome::gone ? step::lost : step::look_again;
}

// Of a live device only what is proven durable is taken, and waited for: all that stood in the log
// when the rest was copied.
result<chain_copy::step> chain_copy::wait_for_sync(const segment_copy& at, std::uint64_t mark) {
  const std::uint64_t now = options_.clock().now_ns;
  if (waited_from_ == 0) {
    goal_ = std::min(goal_, at.end_to_prove());
    waited_from_ = now;
  }
  if (mark >= goal_) {
    limit_ = mark;
    return step::done;
  }
  if (now - waited_from_ > options_.sync_wait_ns)
    return {errc::timeout,
            source_ + ": the device did not say within " +
                std::to_string(options_.sync_wait_ns / second_ns) +
                " s that everything up to position " + std::to_string(goal_) +
                " is durable; see holdfast status, or stop the device and back up its directory"};
  pause();
  return step::look_again;
}

// As recovery judges: damage that reaches beyond what is proven durable is a torn tail.
void chain_copy::judge_damage() {
  const std::uint64_t mark = watermark();
  for (const std::uint64_t base : copies_.needed())
    for (const damage& row : copies_.at(base).totals().damaged)
      if (row.position + row.size > mark) limit_ = std::min(limit_, std::max(row.position, mark));
}

}  // namespace holdfast
