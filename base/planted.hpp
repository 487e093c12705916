// planted: mistakes somebody could make here, one line each where it would be made, to see that the
// checkers of the simulator see every one of them.
//
// Contract: outside of the one test program that is built with HOLDFAST_PLANTED, planted() is false
// at compile time and nothing of this is in any binary. In that program one mistake is made at a
// time, chosen by plant(). The two builds have names of their own, so that both may be linked
// together. What each mistake is: sim/planted_table.cpp.
#pragma once

#include <cstdint>

namespace holdfast {

enum class bug : std::uint8_t {
  none,
  // journal
  written_is_synced,
  sync_covers_later,
  sync_error_ignored,
  rewrite_leaves_one_out,
  recovery_cuts_less,
  recovery_cuts_more,
  checkpoint_before_its_log,
  settles_one_more,
  frees_too_early,
  move_before_synced,
  // sessions and producers
  accept_early,
  accept_written,
  accept_one_more,
  level_lowered,
  repeat_stored,
  hole_stored,
  numbers_forgotten,
  fence_forgotten,
  older_session_stays,
  silence_unnoticed,
  stream_epoch_unchanged,
  ack_confirmed_early,
  // queues
  visible_early,
  double_dispatch,
  nack_lost,
  release_lost,
  ack_unrecorded,
  acks_one_more,
  credit_one_more,
  credit_forgotten,
  lost_worker_keeps,
  delayed_for_ever,
  ack_not_replayed,
  handout_unnoted,
  calendar_trusted,
  // pub/sub
  pub_visible_early,
  ack_floor_one_more,
  progress_unrecorded,
  filter_ignored,
  gap_untold,
  place_kept,
  shown_twice,
  resumes_one_later,
  // request-reply
  repeat_executed,
  replied_early,
  reply_not_replayed,
  deadline_ignored,
  deadline_early,
  stored_replies_kept_back,
  // device
  row_as_of_later,
  late_run_leaves,
  lost_taker_gets_run,
};

#ifdef HOLDFAST_PLANTED
inline namespace with_bugs {
inline bug planted_now = bug::none;
inline bool planted(bug which) noexcept {
  return which == planted_now;
}
inline void plant(bug which) noexcept {
  planted_now = which;
}
}  // namespace with_bugs
#else
inline namespace without_bugs {
constexpr bool planted(bug) noexcept {
  return false;
}
}  // namespace without_bugs
#endif

}  // namespace holdfast
