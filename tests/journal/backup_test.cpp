// Backup and restore on real files: consistent to a position while the journal is written, its
// segments are freed and their files used again; whole or not at all.
#include "journal/backup.hpp"

#include <atomic>
#include <thread>

#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr stream_id held_stream = 9;

// A journal that is written as fast as it goes, by a thread of its own: two streams of which the
// latest 40 messages are live, and one message of another that is held for ever.
class busy_journal {
 public:
  explicit busy_journal(const std::string& path) : log_(open_at(path, content_)) {
    append(block_item(held_stream, 1, 1, 900));
    writer_ = std::thread([this] { run(); });
  }
  ~busy_journal() { stop(); }
  void stop() {
    stop_ = true;
    if (writer_.joinable()) writer_.join();
    log_.reset();
  }
  std::uint64_t accepted(stream_id stream) const { return accepted_[stream - 1]; }
  std::uint64_t checkpoints() const { return checkpoints_; }

 private:
  struct waiting {
    std::uint64_t ticket = 0;
    stream_id stream = 0;
    std::uint64_t first = 0;
    bool ack = false;
  };

  void append(append_item item) {
    log_->append({&item, 1});
    ++appended_;
  }
  void run() {
    for (std::uint64_t n = 1; !stop_; ++n) {
      for (const stream_id stream : {1u, 2u}) {
        append(block_item(stream, n, 1, 200 + n * 37 % 900));
        lasts_[stream - 1] = n;
        waiting_.push_back({appended_, stream, n, false});
        if (n % 16 != 0 || n <= 40) continue;
        append_item ack = block_item(stream, n - 40, 0, 40);
        ack.head.type = record_type::group_ack;
        floors_[stream - 1] = n - 40;
        append(std::move(ack));
        waiting_.push_back({appended_, stream, n - 40, true});
      }
      if (n % 150 == 0) checkpoint();
      do take_marks();
      while (log_->available().message_bytes < 10'000 && !stop_);
    }
    (void)log_->flush().ok();
  }
  void checkpoint() {
    if (!log_->begin_checkpoint()) return;
    std::vector<std::byte> rows(sizeof floors_ + sizeof lasts_);
    std::memcpy(rows.data(), floors_, sizeof floors_);
    std::memcpy(rows.data() + sizeof floors_, lasts_, sizeof lasts_);
    log_->add_checkpoint_rows(rows);
    log_->finish_checkpoint();
    while (log_->checkpoint_running() && !stop_) take_marks();
    ++checkpoints_;
  }
  void take_marks() {
    const marks at = log_->progress();
    std::size_t done = 0;
    for (; done < waiting_.size() && waiting_[done].ticket <= at.synced; ++done) {
      const waiting& w = waiting_[done];
      if (w.ack)
        log_->trim(w.stream, w.first);
      else
        accepted_[w.stream - 1] = w.first;
    }
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(done));
  }

  content content_;
  std::unique_ptr<journal> log_;
  std::uint64_t appended_ = 0;
  std::vector<waiting> waiting_;
  std::uint64_t floors_[2] = {0, 0};
  std::uint64_t lasts_[2] = {0, 0};
  std::atomic<std::uint64_t> accepted_[2] = {0, 0};
  std::atomic<std::uint64_t> checkpoints_ = 0;
  std::atomic<bool> stop_ = false;
  std::thread writer_;
};

/// Opens a backup and tells what is wrong with it: everything from each stream's floor to its end
/// is there, and it goes at least as far as what was accepted when the backup began.
std::string fault_of(const std::string& path, const std::uint64_t (&accepted)[2]) {
  auto reader = journal_reader::open(path);
  if (!reader.ok()) return std::string(reader.text());
  if (!(*reader)->info().spares.empty()) return "a segment is marked as spare";
  for (const segment_info& segment : (*reader)->info().segments)
    if (segment.header.reused) return segment.name + " is marked as used before";
  auto seen = (*reader)->verify();
  if (!seen.ok() || !seen->damaged.empty() || !seen->problems.empty() || !seen->torn.empty())
    return "verify finds damage";
  open_report report;
  auto opened = open_journal(path, small_segments(), report);
  if (!opened.ok()) return std::string(opened.text());
  std::uint64_t state[4] = {0, 0, 0, 0};  // floors and lasts, as of the checkpoint
  const bytes_view rows = (*opened)->checkpoint_rows();
  if (rows.size() == sizeof state) std::memcpy(state, rows.data(), sizeof state);
  std::map<stream_id, std::uint64_t> floors{{1, state[0]}, {2, state[1]}};
  std::map<stream_id, std::uint64_t> lasts{{1, state[2]}, {2, state[3]}};
  bool exact = true;
  const status replayed = (*opened)->replay([&](std::span<const record_view> batch) {
    for (const record_view& r : batch) {
      exact &= right(r);
      if (r.head.type == record_type::block) lasts[r.head.stream] = r.head.first_sequence;
      if (r.head.type == record_type::group_ack) floors[r.head.stream] = r.head.first_sequence;
    }
  });
  if (!replayed.ok() || !exact) return "wrong bytes in replay";
  if (!report.damaged.empty()) return "damage found when it is opened";
  for (const stream_id stream : {1u, 2u}) {
    if (lasts[stream] < accepted[stream - 1])
      return "accepted " + std::to_string(accepted[stream - 1]) + ", the copy ends at " +
             std::to_string(lasts[stream]);
    (*opened)->trim(stream, floors[stream]);
    std::uint64_t want = std::max<std::uint64_t>(1, floors[stream]);
    for (const std::uint64_t got : read_stream(**opened, stream, want)) {
      if (got != want)
        return "stream " + std::to_string(stream) + ": " + std::to_string(want) + " is missing";
      ++want;
    }
    if (want != lasts[stream] + 1) return "the end of a stream cannot be read";
  }
  return read_stream(**opened, held_stream) == std::vector<std::uint64_t>{1}
             ? ""
             : "the message that is held is missing";
}

TEST_CASE("backup: of a journal that frees and reuses its segments all the time") {
  temporary_directory dir;
  busy_journal busy(dir.path + "/live");
  unsigned live = 0;
  for (int turn = 0; turn < 12; ++turn) {
    const std::uint64_t then = busy.checkpoints();
    while (busy.checkpoints() < then + 3) std::this_thread::yield();
    const std::uint64_t accepted[2] = {busy.accepted(1), busy.accepted(2)};
    const std::string target = dir.path + "/backup";
    const auto made = backup_journal(dir.path + "/live", target, {.tries_max = 200});
    REQUIRE_MESSAGE(made.ok(), made.text());
    CHECK(made->note.totals.damaged.empty());
    live += made->live ? 1 : 0;
    const std::string fault = fault_of(target, accepted);
    REQUIRE_MESSAGE(fault.empty(), "turn " << turn << ": " << fault);
    fs::remove_all(target);
  }
  CHECK(live == 12);
}

/// 50 messages, 30 of them before a checkpoint with rows.
struct still_journal {
  still_journal() {
    content found;
    log = open_at(path(), found);
    append(1, 30);
    REQUIRE(log->begin_checkpoint());
    log->add_checkpoint_rows(body_of(1, 1, 3000));
    log->finish_checkpoint();
    append(31, 50);
    settle();
  }
  /// Until a watermark record proves everything.
  void settle() {
    for (std::uint64_t proven = 0, tail = 1; proven < tail || log->checkpoint_running();) {
      log->progress();
      auto seen = (*journal_reader::open(path()))->verify();
      REQUIRE(seen.ok());
      proven = seen->watermark + record_header_bytes;
      tail = seen->tail;
    }
  }
  std::string path() const { return dir.path + "/live"; }
  std::string target() const { return dir.path + "/backup"; }
  void append(std::uint64_t from, std::uint64_t to, stream_id stream = 1) {
    for (std::uint64_t n = from; n <= to; ++n) {
      append_item item = block_item(stream, n, 1, 1500);
      log->append({&item, 1});
    }
    REQUIRE(log->flush().ok());
  }
  void stop() {
    REQUIRE(log->close().ok());
    log.reset();
  }
  backup_outcome backup() {
    auto made = backup_journal(path(), target());
    REQUIRE_MESSAGE(made.ok(), made.text());
    CHECK(!fs::exists(target() + ".unfinished"));
    return std::move(made).value();
  }
  temporary_directory dir;
  std::unique_ptr<journal> log;
};

TEST_CASE("backup: live and dead hold the same, and a restore is byte for byte the backup") {
  for (const bool live : {true, false}) {
    still_journal j;
    if (!live) j.stop();
    const backup_outcome made = j.backup();
    CHECK(made.live == live);
    CHECK(made.note.totals.messages == 50);
    CHECK(made.note.checkpoint == 1);
    const std::string again = j.dir.path + "/again";
    const auto restored = restore_journal(j.target(), again);
    REQUIRE_MESSAGE(restored.ok(), restored.text());
    auto want = tree_of(j.target());
    want.erase("BACKUP");
    CHECK(tree_of(again) == want);
    content found;
    const auto log = open_at(again, found);
    CHECK(found.rows == body_of(1, 1, 3000));
    CHECK(found.report.epoch == made.note.epoch + 1);
    CHECK(found.report.other_boot);  // what was numbered behind the position is unknown
    CHECK(read_stream(*log, 1) == count_to(50));
  }
}

TEST_CASE("backup: damage is copied as it is and named; a restore takes that and no other") {
  still_journal j;
  j.stop();
  damage hit;
  std::string name;
  {
    auto reader = journal_reader::open(j.path());
    (void)(*reader)
        ->walk(0,
               [&](const seen_record& seen) {
                 if (seen.record.head.first_sequence != 20) return true;
                 hit = {damage_kind::body, seen.record.position, seen.size, 1, {20, 1}};
                 for (const segment_info& s : (*reader)->info().segments)
                   if (s.header.slot == seen.slot) {
                     name = s.name;
                     write_at(j.path() + "/" + s.name, hit.position - s.header.base + 700, "rot");
                   }
                 return false;
               })
        .ok();
  }
  const backup_outcome made = j.backup();
  REQUIRE(made.note.totals.damaged.size() == 1);
  CHECK(made.note.totals.damaged[0].position == hit.position);
  CHECK(made.note.totals.damaged[0].size == hit.size);
  CHECK(made.note.totals.damaged[0].messages == hit.messages);
  CHECK(made.note.totals.messages == 49);
  const auto restored = restore_journal(j.target(), j.dir.path + "/again");
  REQUIRE_MESSAGE(restored.ok(), restored.text());
  write_at(j.target() + "/" + name, records_at + 300, "more");
  CHECK(restore_journal(j.target(), j.dir.path + "/more").kind() == errc::corrupt);
  CHECK(!fs::exists(j.dir.path + "/more"));
  CHECK(!fs::exists(j.dir.path + "/more.unfinished"));
}

TEST_CASE("backup: half a batch at the end is not taken") {
  still_journal j;
  std::vector<append_item> batch;
  for (std::uint64_t n = 51; n <= 54; ++n) {
    batch.push_back(block_item(1, n, 1, 1000));
    batch.back().head.flags = n < 54 ? record_flag::batch_more : record_flag::batch_end;
  }
  j.log->append(batch);
  REQUIRE(j.log->flush().ok());
  j.stop();
  // The last record of the batch, and what proves it, is torn off.
  auto reader = journal_reader::open(j.path());
  std::uint64_t at = 0;
  std::string name;
  (void)(*reader)
      ->walk(0,
             [&](const seen_record& seen) {
               if (seen.record.head.first_sequence != 54) return true;
               for (const segment_info& s : (*reader)->info().segments)
                 if (s.header.slot == seen.slot) {
                   name = j.path() + "/" + s.name;
                   at = seen.record.position - s.header.base;
                 }
               return false;
             })
      .ok();
  REQUIRE(at != 0);
  write_at(name, at, std::string((16 << 10) - at, '\0'));
  const backup_outcome made = j.backup();
  CHECK(made.note.totals.messages == 50);
  CHECK(made.beyond == 3 * record_size(1000));
  content found;
  CHECK(read_stream(*open_at(j.target(), found), 1) == count_to(50));
}

TEST_CASE("backup: rot just below the position is found, though no record behind it proves it") {
  still_journal j;
  const backup_outcome made = j.backup();
  std::string name;
  std::uint64_t base = 0;
  auto reader = journal_reader::open(j.target());
  REQUIRE(reader.ok());
  for (const segment_info& s : (*reader)->info().segments) {
    name = s.name;
    base = s.header.base;
  }
  write_at(j.target() + "/" + name, made.note.position - base - 100, "rot");
  auto seen = (*journal_reader::open(j.target()))->verify();
  REQUIRE(seen.ok());
  REQUIRE(seen->damaged.size() == 1);
  CHECK(seen->torn.empty());
  CHECK(restore_journal(j.target(), j.dir.path + "/again").kind() == errc::corrupt);
}

TEST_CASE("backup: a file that is another segment by now, or not there, is gone and not damaged") {
  still_journal j;
  j.stop();
  auto reader = journal_reader::open(j.path());
  REQUIRE(reader.ok());
  const segment_info first = (*reader)->info().segments[0];
  const segment_info second = (*reader)->info().segments[1];
  REQUIRE(first.end != 0);
  const std::string file = j.path() + "/" + first.name;
  const std::string header = read_whole(j.path() + "/" + second.name).substr(0, 128);
  segment_copy early(file, first.header, j.dir.path + "/early");
  REQUIRE(*early.copy_to(first.header.base + records_at + record_size(gap_body_bytes)) ==
          segment_copy::outcome::reached);
  write_at(file, 0, header);
  write_at(file, 6000, std::string(4000, 'x'));  // of its new use
  segment_copy late(file, first.header, j.dir.path + "/late");
  segment_copy never(j.path() + "/seg/000099.seg", first.header, j.dir.path + "/never");
  for (segment_copy* copy : {&early, &late, &never}) {
    CHECK(*copy->copy_to(first.end) == segment_copy::outcome::gone);
    CHECK(*copy->copy_on() == segment_copy::outcome::gone);
    CHECK(copy->totals().damaged.empty());
  }
}

// 20 messages below two checkpoints, 20 behind them; the hook of a backup moves the journal on.
struct moving_journal : still_journal {
  moving_journal() {
    checkpoint();
    checkpoint();
    append(51, 70);
    settle();
  }
  void checkpoint() {
    REQUIRE(log->begin_checkpoint());
    log->finish_checkpoint();
    while (log->checkpoint_running()) {
      log->progress();
      REQUIRE(log->flush().ok());
    }
  }
  /// Everything below `to` is finished, durably.
  void ack(std::uint64_t to) {
    append_item item = block_item(1, to, 0, 40);
    item.head.type = record_type::group_ack;
    log->append({&item, 1});
    REQUIRE(log->flush().ok());
    log->trim(1, to);
    for (int i = 0; i < 100; ++i) log->progress();
    REQUIRE(log->flush().ok());
  }
  std::size_t segments() const {
    auto reader = journal_reader::open(path());
    REQUIRE(reader.ok());
    return (*reader)->info().segments.size();
  }
  /// A backup, during which `move` is called once: before the n-th segment behind the checkpoint,
  /// or (0) before the first one below it.
  backup_outcome backup_while(unsigned nth, const std::function<void()>& move) {
    const auto newest = (*journal_reader::open(path()))->info().newest_checkpoint()->position;
    unsigned seen = 0;
    bool moved = false;
    std::uint64_t last = 1;
    const auto look = [&](const segment_header& at) {
      const bool behind = at.base + at.size > newest;
      const bool first_look = std::exchange(last, at.base) != at.base;
      seen += behind && first_look ? 1 : 0;
      if (!moved && first_look && (nth == 0 ? !behind : behind && seen == nth)) {
        move();
        moved = true;
      }
      if (moved) log->progress();
    };
    auto made = backup_journal(path(), target(), {.before_segment = look});
    REQUIRE_MESSAGE(made.ok(), made.text());
    CHECK(moved);
    return std::move(made).value();
  }
  /// What the backup holds of stream 1 once what was acked is trimmed.
  std::vector<std::uint64_t> copied() const {
    open_report report;
    auto opened = open_journal(target(), small_segments(), report);
    REQUIRE_MESSAGE(opened.ok(), opened.text());
    std::uint64_t floor = 1;
    const status replayed = (*opened)->replay([&](std::span<const record_view> batch) {
      for (const record_view& r : batch)
        if (r.head.type == record_type::group_ack) floor = r.head.first_sequence;
    });
    REQUIRE(replayed.ok());
    CHECK(report.damaged.empty());
    (*opened)->trim(1, floor);
    return read_stream(**opened, 1, floor);
  }
};

TEST_CASE("backup: what is freed after it was copied, or before, is as the position says") {
  for (const unsigned nth : {0, 1, 2}) {
    moving_journal j;
    const std::size_t segments = j.segments();
    j.backup_while(nth, [&] {
      j.ack(41);
      while (j.segments() >= segments) j.log->progress();
    });
    // With the ack or without it, but whole. With it, if that freed what was not copied yet.
    std::vector<std::uint64_t> want = count_to(70);
    const std::vector<std::uint64_t> got = j.copied();
    if (nth == 0 || got.size() == 30) want.erase(want.begin(), want.begin() + 40);
    CHECK(got == want);
  }
}

TEST_CASE("backup: a file that is used again after it was copied spoils nothing") {
  moving_journal j;
  j.ack(71);
  j.checkpoint();
  j.checkpoint();
  j.append(1, 60, 2);  // live for ever; in all files that are spare
  j.checkpoint();
  j.append(71, 100);
  j.append(61, 80, 2);
  j.settle();
  std::string name;
  std::uint64_t base = 0;
  {
    auto reader = journal_reader::open(j.path());
    const std::uint64_t newest = (*reader)->info().newest_checkpoint()->position;
    for (const segment_info& s : (*reader)->info().segments)
      if (name.empty() && s.header.base > newest) {
        name = j.path() + "/" + s.name;
        base = s.header.base;
      }
  }
  REQUIRE(!name.empty());
  std::uint64_t last = 80;
  const backup_outcome made = j.backup_while(5, [&] {
    // The spare files are used up first, so that there is need of the one that is freed.
    j.append(last + 1, last + 60, 2);
    last += 60;
    j.ack(101);
    j.checkpoint();
    j.checkpoint();
    // Until that file, which is copied already, is a later segment of the log.
    for (int turns = 0; turns < 100; ++turns) {
      const auto now = read_segment_header(tool_file(name, tool_file::how::read));
      REQUIRE(now);
      if (now->base != base && !now->spare) return;
      j.append(last + 1, last + 5, 2);
      last += 5;
    }
    FAIL("the file is not used again");
  });
  content found;
  const auto log = open_at(j.target(), found);
  CHECK(found.report.damaged.empty());
  const std::vector<std::uint64_t> held = read_stream(*log, 2);
  CHECK(held.size() >= 80);
  CHECK(held == count_to(held.size()));
  if (made.tries != 1) return;  // then with the ack
  std::vector<std::uint64_t> acked = count_to(100);
  acked.erase(acked.begin(), acked.begin() + 70);
  CHECK(read_stream(*log, 1, 71) == acked);
}

TEST_CASE("backup: what is in the way is never overwritten") {
  still_journal j;
  fs::create_directories(j.target());
  std::ofstream(j.target() + "/mine") << "x";
  CHECK(backup_journal(j.path(), j.target()).kind() == errc::invalid);
  CHECK(backup_journal(j.path(), j.path()).kind() == errc::in_use);
  CHECK(read_whole(j.target() + "/mine") == "x");
  fs::create_directories(j.dir.path + "/other.unfinished");
  std::ofstream(j.dir.path + "/other.unfinished/mine") << "x";
  CHECK(backup_journal(j.path(), j.dir.path + "/other").kind() == errc::invalid);
  CHECK(read_whole(j.dir.path + "/other.unfinished/mine") == "x");
  CHECK(backup_journal(j.dir.path + "/nothing", j.dir.path + "/x").kind() == errc::not_found);
  CHECK(restore_journal(j.path(), j.dir.path + "/x").kind() == errc::not_found);
}

TEST_CASE("backup: a device that does not sync is told, and nothing is left") {
  still_journal j;
  append_item item = block_item(1, 51, 1, 100, level::process);
  const ticket written = j.log->append({&item, 1});
  while (j.log->progress().written < written) std::this_thread::yield();
  std::uint64_t now = 0;
  // Nobody turns the journal's wheel: what is written stays unproven.
  const auto made = backup_journal(j.path(), j.target(),
                                   {.clock =
                                        [&now] {
                                          return instant{now += second_ns, now};
                                        },
                                    .tries_max = 2});
  CHECK(made.kind() == errc::timeout);
  CHECK(!fs::exists(j.target()));
  CHECK(!fs::exists(j.target() + ".unfinished"));
}

TEST_CASE("backup: the note is all or nothing") {
  backup_note note;
  note.id[3] = std::byte{0xab};
  note.position = 77;
  note.totals.messages = 5;
  note.totals.damaged.push_back({damage_kind::body, 10, 20, 1, {1, 2}});
  const std::string text = write_backup_note(note);
  const auto parsed = parse_backup_note(text, "BACKUP");
  REQUIRE(parsed.ok());
  CHECK(parsed->id == note.id);
  CHECK(parsed->position == 77);
  CHECK(parsed->totals.messages == 5);
  REQUIRE(parsed->totals.damaged.size() == 1);
  for (std::size_t at = 0; at < text.size(); ++at) {
    CHECK(!parse_backup_note(text.substr(0, at), "BACKUP").ok());
    std::string flipped = text;
    flipped[at] = static_cast<char>(flipped[at] ^ 1);
    CHECK_MESSAGE(!parse_backup_note(flipped, "BACKUP").ok(), at);
  }
}

}  // namespace
}  // namespace holdfast::testing
