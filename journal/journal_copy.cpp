#include "journal/journal_copy.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <thread>

#include "journal/lock_file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

// How often a live tail is looked at, and how often a chain that does not hold together is.
constexpr std::uint64_t look_every_ms = 1;
constexpr unsigned looks_at_chain_max = 200;

void pause() {
  std::this_thread::sleep_for(std::chrono::milliseconds(look_every_ms));
}

// Without the slashes at the end, which would name the inside of the directory.
std::string plain(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

journal_copy::journal_copy(std::string source, std::string target, const backup_options& options)
    : source_(plain(std::move(source))),
      view_(source_),
      target_(plain(std::move(target))),
      work_(target_ + ".unfinished"),
      whole_(work_ + "/whole"),
      options_(options) {}

journal_copy::~journal_copy() {
  if (begun_) (void)remove_unfinished();  // what stays is cleared by the next copy to this target
}

// ---- where to
// ------------------------------------------------------------------------------------

status journal_copy::begin() {
  if (journal_in_use(target_))
    return {errc::in_use, target_ + ": a device has it open; name a directory that does not exist"};
  if (!is_free(target_))
    return {errc::invalid, target_ +
                               ": is not empty, and nothing is ever overwritten; name a "
                               "directory that does not exist"};
  if (status cleared = clear_unfinished(); !cleared) return cleared;
  if (status made = make_new_directory(work_); !made) return made;
  begun_ = true;
  lock_ = tool_file(work_ + "/" + lock_file_name, tool_file::how::create);
  if (!lock_.is_open()) return lock_.opened();
  if (!lock_.lock()) return {errc::in_use, work_ + ": another process took it; start again"};
  return make_new_directory(work_ + "/copying");
}

// What a killed try left. One that is still at work holds the lock.
status journal_copy::clear_unfinished() {
  std::error_code error;
  if (!fs::exists(work_, error)) return {};
  if (journal_in_use(work_))
    return {errc::in_use, work_ + ": another copy to this target is at work; wait for it"};
  if (!fs::exists(work_ + "/" + lock_file_name, error) && !is_free(work_))
    return {errc::invalid, work_ +
                               ": is in the way and was not left by an unfinished copy; "
                               "move it or name another target"};
  return remove_unfinished();
}

// LOCK goes last: while anything else is there it says what the directory is.
status journal_copy::remove_unfinished() {
  std::error_code error;
  for (fs::directory_iterator at(work_, error), end; !error && at != end; at.increment(error))
    if (at->path().filename() != lock_file_name) fs::remove_all(at->path(), error);
  if (!error) fs::remove_all(work_, error);
  return error ? file_failure(work_, "cannot be removed", error.value()) : status{};
}

// ---- what is taken
// -------------------------------------------------------------------------------

segment_copy& journal_copy::copy_of(const segment_header& header) {
  auto& place = copies_[header.base];
  if (!place || place->header().epoch != header.epoch)
    place = std::make_unique<segment_copy>(
        source_ + "/" + segment_name(header.slot), header,
        work_ + "/copying/" + std::to_string(header.base) + "." + std::to_string(header.epoch));
  return *place;
}

void journal_copy::forget(std::uint64_t base) {
  const auto at = copies_.find(base);
  if (at == copies_.end()) return;
  (void)remove_file(at->second->path());  // what stays goes with the whole directory
  copies_.erase(at);
}

result<bool> journal_copy::gather() {
  needed_.clear();
  limit_ = goal_ = waited_from_ = 0;
  looked_beyond_ = was_dead_ = false;
  unlinked_ = 0;
  outcome_.live |= journal_in_use(source_);
  ++outcome_.tries;
  if (status found = view_.find_checkpoint(); !found) return found;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  outcome_.remarks = view_.remarks();
  auto copied = copy_old();
  if (!copied || !*copied) return copied;
  return copy_chain();
}

// Segments below the checkpoint do not change any more. One that is not there was freed by records
// that lie below the position, because that is chosen after this.
result<bool> journal_copy::copy_old() {
  const std::vector<listed_segment>& all = view_.checkpoint().segments;
  for (std::size_t i = 0; i + 1 < all.size(); ++i) {
    const listed_segment& listed = all[i];
    if (options_.before_segment) options_.before_segment(listed.header);
    segment_copy& copy = copy_of(listed.header);
    auto copied = copy.copy_to(listed.end);
    if (!copied) return copied.take_status();
    if (*copied == segment_copy::outcome::gone)
      forget(listed.header.base);
    else
      needed_.push_back(listed.header.base);
  }
  return true;
}

// From the checkpoint's segment on to the tail.
result<bool> journal_copy::copy_chain() {
  const std::vector<listed_segment>& all = view_.checkpoint().segments;
  segment_header now = all.empty() ? view_.first() : all.back().header;
  if (all.empty() && now.previous_end != 0) return no_beginning(now);
  const std::uint64_t chain_from = now.base;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  goal_ = view_.newest().base + view_.newest().size;
  for (;;) {
    if (needed_.empty() || needed_.back() != now.base) needed_.push_back(now.base);
    if (options_.before_segment) options_.before_segment(now);
    segment_copy& at = copy_of(now);
    tail then = tail::look_again;
    if (const segment_header* next = view_.successor(now.base)) {
      const segment_header following = *next;
      auto copied = at.copy_to(following.previous_end);
      if (!copied) return copied.take_status();
      if (*copied == segment_copy::outcome::gone) then = tail::lost;
      if (then != tail::lost && watermark() >= goal_) {
        limit_ = watermark();
        then = tail::done;
      }
      if (then != tail::lost) now = following;
      looked_beyond_ = was_dead_ = false;
    } else {
      auto went = go_on(at);
      if (!went) return went.take_status();
      then = *went;
    }
    if (then == tail::lost) forget(now.base);
    if (then == tail::lost) return false;
    if (then == tail::done) return !used_again(chain_from);
  }
}

result<bool> journal_copy::no_beginning(const segment_header& lowest) const {
  if (journal_in_use(source_)) return false;
  return {errc::corrupt, source_ + ": no checkpoint can be read and the segment before " +
                             segment_name(lowest.slot) +
                             " is lost, so no state can be made of this journal; copy the whole "
                             "directory with cp -a instead"};
}

// A file of the chain was freed and used again after it was copied: the checkpoint is too old.
bool journal_copy::used_again(std::uint64_t chain_from) const {
  std::map<std::uint32_t, std::uint64_t> by_slot;
  for (const std::uint64_t base : needed_) {
    const auto [at, fresh] = by_slot.try_emplace(copies_.at(base)->header().slot, base);
    if (!fresh && at->second >= chain_from) return true;
    at->second = base;
  }
  return false;
}

// Where no successor is known: what there is now, and whether that is the tail.
result<journal_copy::tail> journal_copy::go_on(segment_copy& at) {
  const std::uint64_t base = at.header().base;
  auto copied = at.copy_on();
  if (!copied) return copied.take_status();
  if (*copied == segment_copy::outcome::gone) return tail::lost;
  if (status looked = view_.look_at_segments(); !looked) return looked;
  if (view_.successor(base) != nullptr) return tail::look_again;
  if (!view_.has(base)) return tail::lost;
  if (view_.newest().base == base) return at_tail(at);
  if (!journal_in_use(source_))
    return {errc::corrupt, source_ + ": a segment behind " + segment_name(at.header().slot) +
                               " is lost, so the copy would have a hole; let a device open the "
                               "journal once, or copy the whole directory with cp -a"};
  if (++unlinked_ > looks_at_chain_max) return tail::lost;
  pause();
  return tail::look_again;
}

std::uint64_t journal_copy::watermark() const {
  std::uint64_t highest = view_.checkpoint().header.position;
  for (const std::uint64_t base : needed_) {
    const segment_copy& copy = *copies_.at(base);
    highest = std::max(highest, copy.watermark());
    if (copy.header().previous_durable) highest = std::max(highest, copy.header().previous_end);
  }
  return highest;
}

result<journal_copy::tail> journal_copy::at_tail(segment_copy& at) {
  const bool live = journal_in_use(source_);
  if (!live && !std::exchange(was_dead_, true)) return tail::look_again;  // its last words
  if (live) was_dead_ = false;
  std::uint64_t mark = watermark();
  if (!live || !looked_beyond_) {
    const segment_copy::beyond behind = at.look_beyond();
    looked_beyond_ = behind.next == 0;
    if (behind.next != 0 && behind.next == at.end()) return tail::look_again;
    mark = std::max(mark, behind.watermark);
    std::uint64_t bad_to = behind.next <= mark ? behind.next : 0;
    if (!live && bad_to == 0 && at.end() < mark && mark <= at.limit()) bad_to = mark;
    if (bad_to != 0) {
      auto copied = at.copy_damaged(bad_to);
      if (!copied) return copied.take_status();
      return *copied == segment_copy::outcome::gone ? tail::lost : tail::look_again;
    }
  }
  if (live) return wait_for_sync(at, mark);
  limit_ = at.end();
  return tail::done;
}

// Of a live device only what is proven durable is taken, and waited for: all that stood in the log
// when the rest was copied.
result<journal_copy::tail> journal_copy::wait_for_sync(const segment_copy& at, std::uint64_t mark) {
  const std::uint64_t now = options_.clock().now_ns;
  if (waited_from_ == 0) {
    goal_ = std::min(goal_, at.end_to_prove());
    waited_from_ = now;
  }
  if (mark >= goal_) {
    limit_ = mark;
    return tail::done;
  }
  if (now - waited_from_ > options_.sync_wait_ns)
    return {errc::timeout,
            source_ + ": the device did not say within " +
                std::to_string(options_.sync_wait_ns / second_ns) +
                " s that everything up to position " + std::to_string(goal_) +
                " is durable; see holdfast status, or stop the device and back up its directory"};
  pause();
  return tail::look_again;
}

// ---- what becomes of it
// --------------------------------------------------------------------------

// As recovery judges: damage that reaches beyond what is proven durable is a torn tail.
void journal_copy::judge_damage() {
  const std::uint64_t mark = watermark();
  for (const std::uint64_t base : needed_)
    for (const damage& row : copies_.at(base)->totals().damaged)
      if (row.position + row.size > mark) limit_ = std::min(limit_, std::max(row.position, mark));
}

status journal_copy::cut_at_limit() {
  while (needed_.size() > 1 && needed_.back() + records_at > limit_) {
    segment_copy& above = *copies_.at(needed_.back());
    outcome_.beyond += above.end() - (needed_.back() + records_at);
    forget(needed_.back());
    needed_.pop_back();
  }
  segment_copy& last = *copies_.at(needed_.back());
  const std::uint64_t copied = last.end();
  if (status cut = last.cut_to(limit_); !cut) return cut;
  outcome_.beyond += copied - last.end();
  outcome_.note.position = last.end();
  return last.prove(options_.clock().real_ns);
}

// Each slot once: the lower of two was freed before the file became the higher one.
void journal_copy::drop_what_is_not_needed() {
  std::map<std::uint32_t, std::uint64_t> by_slot;
  for (const std::uint64_t base : needed_) by_slot[copies_.at(base)->header().slot] = base;
  std::erase_if(needed_, [&](std::uint64_t base) {
    return by_slot.at(copies_.at(base)->header().slot) != base;
  });
  std::vector<std::uint64_t> unwanted;
  for (const auto& [base, copy] : copies_)
    if (!std::binary_search(needed_.begin(), needed_.end(), base)) unwanted.push_back(base);
  for (const std::uint64_t base : unwanted) forget(base);
}

status journal_copy::write_segment(segment_copy& from, bool last) {
  segment_header header = from.header();
  header.spare = header.reused = false;
  // What the device numbered behind the position is unknown, as after a loss of power.
  if (last) header.boot_id = {};
  if (status done = from.finish(header); !done) return done;
  return rename_file(from.path(), whole_ + "/" + segment_name(header.slot));
}

status journal_copy::write_checkpoint() {
  if (!view_.has_checkpoint()) return {};
  tool_file file(whole_ + "/" + view_.checkpoint_name(), tool_file::how::create);
  if (!file.is_open()) return file.opened();
  if (status put = file.write(0, view_.checkpoint_bytes()); !put) return put;
  return file.sync();
}

status journal_copy::write_out() {
  judge_damage();
  if (status cut = cut_at_limit(); !cut) return cut;
  drop_what_is_not_needed();
  if (status made = make_new_directory(whole_); !made) return made;
  if (status made = make_new_directory(whole_ + "/seg"); !made) return made;
  backup_note& note = outcome_.note;
  for (const std::uint64_t base : needed_) {
    segment_copy& copy = *copies_.at(base);
    if (status put = write_segment(copy, base == needed_.back()); !put) return put;
    note.id = copy.header().journal_id;
    note.epoch = std::max(note.epoch, copy.header().epoch);
    note.end = copy.end();
    note.totals.add(copy.totals());
  }
  note.segments = needed_.size();
  note.checkpoint = view_.checkpoint().header.number;
  note.time_ns = options_.clock().real_ns;
  return write_checkpoint();
}

status journal_copy::write_note() {
  const std::string text = write_backup_note(outcome_.note);
  tool_file file(whole_ + "/" + backup_note_name, tool_file::how::create);
  if (!file.is_open()) return file.opened();
  if (status put = file.write(0, as_bytes_view(text.data(), text.size())); !put) return put;
  return file.sync();
}

status journal_copy::put_in_place() {
  if (status synced = sync_directory(whole_ + "/seg"); !synced) return synced;
  if (status synced = sync_directory(whole_); !synced) return synced;
  if (status named = rename_file(whole_, target_); !named) return named;
  if (status synced = sync_directory(parent_of(target_)); !synced) return synced;
  begun_ = false;
  return remove_unfinished();
}

}  // namespace holdfast
