#include "sim/planted_table.hpp"

#include <algorithm>

namespace holdfast::sim {
namespace {

constexpr planted_entry table[] = {
    {bug::written_is_synced, "written_is_synced", "a write that completed counts as synced"},
    {bug::sync_covers_later, "sync_covers_later",
     "a sync counts for records that were asked for after it"},
    {bug::sync_error_ignored, "sync_error_ignored", "a write or sync that failed counts as done"},
    {bug::rewrite_leaves_one_out, "rewrite_leaves_one_out",
     "after a failed sync the first record is not written again"},
    {bug::recovery_cuts_less, "recovery_cuts_less",
     "recovery keeps what lies behind a torn record"},
    {bug::recovery_cuts_more, "recovery_cuts_more",
     "recovery cuts at the watermark, whatever is readable behind it"},
    {bug::checkpoint_before_its_log, "checkpoint_before_its_log",
     "a checkpoint is put in force before the log it stands on is durable"},
    {bug::settles_one_more, "settles_one_more", "with finished messages the next one is freed"},
    {bug::frees_too_early, "frees_too_early",
     "a segment is used again while a checkpoint still needs it"},
    {bug::move_before_synced, "move_before_synced",
     "a moved message counts as moved before its copy is durable"},
    {bug::accept_early, "accept_early", "an accept leaves before the record is written"},
    {bug::accept_written, "accept_written",
     "an accept at level disk leaves once the record is written"},
    {bug::accept_one_more, "accept_one_more", "the producer takes one more message for accepted"},
    {bug::level_lowered, "level_lowered",
     "everybody is accepted at level process, whatever was asked for"},
    {bug::repeat_stored, "repeat_stored", "a block that comes again is stored again"},
    {bug::hole_stored, "hole_stored", "a block beyond the expected number is stored"},
    {bug::numbers_forgotten, "numbers_forgotten",
     "producers' numbers are not replayed after a restart"},
    {bug::fence_forgotten, "fence_forgotten", "an instance that was fenced may come back"},
    {bug::older_session_stays, "older_session_stays",
     "an id's older session stays open beside the newer one"},
    {bug::silence_unnoticed, "silence_unnoticed", "a session that is silent never ends"},
    {bug::stream_epoch_unchanged, "stream_epoch_unchanged",
     "streams keep their epoch after a reboot below level disk"},
    {bug::ack_confirmed_early, "ack_confirmed_early", "ACKED leaves before the ack is durable"},
    {bug::visible_early, "visible_early",
     "a queue's messages are delivered before they are durable"},
    {bug::double_dispatch, "double_dispatch",
     "the last message of a delivery goes to another consumer as well"},
    {bug::nack_lost, "nack_lost", "a nacked message is forgotten"},
    {bug::release_lost, "release_lost", "a released message is forgotten"},
    {bug::ack_unrecorded, "ack_unrecorded", "acks are not recorded"},
    {bug::acks_one_more, "acks_one_more", "an ack counts for the next message as well"},
    {bug::credit_one_more, "credit_one_more", "a delivery has one message more than the credit"},
    {bug::credit_forgotten, "credit_forgotten", "what was delivered costs no credit"},
    {bug::lost_worker_keeps, "lost_worker_keeps", "what a lost worker held does not come back"},
    {bug::delayed_for_ever, "delayed_for_ever", "what waits to be delivered again waits for ever"},
    {bug::ack_not_replayed, "ack_not_replayed", "acks are not replayed after a restart"},
    {bug::handout_unnoted, "handout_unnoted", "messages are handed out below no durable mark"},
    {bug::calendar_trusted, "calendar_trusted", "a calendar that went back holds up redeliveries"},
    {bug::pub_visible_early, "pub_visible_early",
     "published messages are delivered before they are durable"},
    {bug::ack_floor_one_more, "ack_floor_one_more",
     "a subscription's floor moves one message too far"},
    {bug::progress_unrecorded, "progress_unrecorded",
     "a durable subscription's progress is not recorded"},
    {bug::filter_ignored, "filter_ignored", "a subscription gets what it did not ask for"},
    {bug::gap_untold, "gap_untold", "nobody is told of a gap"},
    {bug::place_kept, "place_kept",
     "a durable subscription goes on behind what was sent, not behind what was acked"},
    {bug::shown_twice, "shown_twice", "a subscriber shows again what comes again"},
    {bug::resumes_one_later, "resumes_one_later",
     "a subscriber that reconnects asks for one message too late"},
    {bug::repeat_executed, "repeat_executed", "a request that is repeated is executed again"},
    {bug::replied_early, "replied_early", "REPLIED leaves before the reply is durable"},
    {bug::reply_not_replayed, "reply_not_replayed",
     "after a restart a stored reply does not finish its request"},
    {bug::deadline_ignored, "deadline_ignored", "requests do not expire"},
    {bug::deadline_early, "deadline_early", "requests expire half a second too early"},
    {bug::stored_replies_kept_back, "stored_replies_kept_back",
     "a requester that comes back is not sent its stored replies"},
    {bug::row_as_of_later, "row_as_of_later", "a checkpoint's rows claim to know later records"},
    {bug::late_run_leaves, "late_run_leaves",
     "a request that waited for the disk leaves after its deadline"},
    {bug::lost_taker_gets_run, "lost_taker_gets_run",
     "a run that waited for the disk leaves for a worker whose session is over"},
};

}  // namespace

std::span<const planted_entry> planted_table() {
  return table;
}

const planted_entry* find_planted(std::string_view name) {
  const auto at = std::find_if(std::begin(table), std::end(table),
                               [&](const planted_entry& e) { return e.name == name; });
  return at == std::end(table) ? nullptr : &*at;
}

}  // namespace holdfast::sim
