// Repair: each kind of damage to a journal at rest; nothing is changed unasked, everything that
// changes is copied aside first, and what cannot be made good is left and named exactly.
#include "journal/repair.hpp"

#include "journal/segment_table.hpp"
#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr instant noon{1, 1'800'000'000'000'000'000};  // 2027-01-15 08:00:00 UTC
constexpr std::uint64_t messages = 60;
const std::string rot(100, '\x33');

/// 60 messages in segments 0 .., the first 40 before the newer of two checkpoints.
struct damaged_journal {
  damaged_journal() {
    content found;
    auto log = open_at(dir.path, found);
    append(*log, 1, 20);
    checkpoint(*log);
    append(*log, 21, 40);
    checkpoint(*log);
    append(*log, 41, messages);
    REQUIRE(log->close().ok());
    log.reset();
    whole = tree_of(dir.path);
    REQUIRE(whole.contains("checkpoint.000002"));
  }
  static void append(journal& log, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t n = from; n <= to; ++n) {
      append_item item = block_item(1, n, 1, 1500);
      log.append({&item, 1});
    }
    REQUIRE(log.flush().ok());
  }
  static void checkpoint(journal& log) {
    REQUIRE(log.begin_checkpoint());
    log.finish_checkpoint();
    for (int i = 0; i < 100'000 && log.checkpoint_running(); ++i) {
      log.progress();
      REQUIRE(log.flush().ok());
    }
    REQUIRE(!log.checkpoint_running());
  }
  std::string file(const std::string& name) const { return dir.path + "/" + name; }
  void spoil(const std::string& name, std::uint64_t at) { write_at(file(name), at, rot); }
  repair_plan plan() const {
    auto planned = plan_repair(dir.path);
    REQUIRE_MESSAGE(planned.ok(), planned.text());
    return std::move(planned).value();
  }
  repair_outcome repair() const {
    auto repaired = repair_journal(dir.path, noon);
    REQUIRE_MESSAGE(repaired.ok(), repaired.text());
    return std::move(repaired).value();
  }
  /// The journal's own files.
  std::map<std::string, std::string> tree() const {
    auto all = tree_of(dir.path);
    std::erase_if(all, [](const auto& f) { return f.first.starts_with("quarantine/"); });
    return all;
  }
  /// Looks, sees that nothing changed; repairs, sees the copies of what changed; again: nothing.
  repair_outcome repair_and_check() {
    const auto before = tree();
    const repair_plan planned = plan();
    CHECK(tree_of(dir.path) == before);
    repair_outcome done = repair();
    CHECK(done.plan.steps.size() == planned.steps.size());
    const auto after = tree();
    for (const auto& file : before) {
      const std::string& name = file.first;
      const auto now = after.find(name);
      if (now != after.end() && now->second == file.second) continue;
      CHECK_MESSAGE(read_whole(done.quarantine + "/" + name) == file.second, name);
    }
    CHECK(done.after.steps.empty());
    CHECK(repair().quarantine.empty());
    CHECK(tree() == after);
    return done;
  }
  std::vector<std::uint64_t> open_and_read() const {
    content found;
    const auto log = open_at(dir.path, found);
    return read_stream(*log, 1);
  }

  temporary_directory dir;
  std::map<std::string, std::string> whole;
};

const std::string a_segment = "seg/000001.seg";

TEST_CASE("repair: nothing to do, nothing is done") {
  damaged_journal j;
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  CHECK(plan.damaged.empty());
  CHECK(plan.unsolved.empty());
  CHECK(j.repair().quarantine.empty());
  CHECK(tree_of(j.dir.path) == j.whole);
}

TEST_CASE("repair: either copy of a segment's header is written again from the other") {
  for (const std::uint64_t at : {std::uint64_t{0}, segment_header_copy_at}) {
    damaged_journal j;
    j.spoil(a_segment, at + 10);
    const auto seen = (*journal_reader::open(j.dir.path))->verify();
    REQUIRE(seen.ok());
    REQUIRE(seen->problems.size() == 1);
    CHECK(seen->problems[0].starts_with(a_segment));
    const repair_outcome done = j.repair_and_check();
    REQUIRE(done.plan.steps.size() == 1);
    CHECK(done.plan.steps[0].offset == at);
    CHECK(done.quarantine == j.dir.path + "/quarantine/20270115T080000Z");
    CHECK(j.tree() == j.whole);
    const std::string report = read_whole(done.quarantine + "/report.json");
    CHECK(report.find("\"file\": \"seg/000001.seg\", \"change\": \"rewritten\", \"offset\": " +
                      std::to_string(at) + ", \"size\": 128") != std::string::npos);
    CHECK(j.open_and_read() == count_to(messages));
  }
}

TEST_CASE("repair: both copies come back from the newest checkpoint's list") {
  damaged_journal j;
  j.spoil(a_segment, 10);
  j.spoil(a_segment, segment_header_copy_at + 10);
  CHECK(j.repair_and_check().plan.steps.size() == 2);
  CHECK(j.tree() == j.whole);
  CHECK(j.open_and_read() == count_to(messages));
}

TEST_CASE("repair: a segment that no checkpoint lists and whose headers are lost is left") {
  damaged_journal j;
  std::vector<std::string> segments;
  auto reader = journal_reader::open(j.dir.path);
  REQUIRE(reader.ok());
  for (const auto& s : (*reader)->info().segments) segments.push_back(s.name);
  const std::string name = segments[segments.size() - 2];
  j.spoil(name, 10);
  j.spoil(name, segment_header_copy_at + 10);
  const auto before = j.tree();
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  REQUIRE(plan.unsolved.size() == 1);
  CHECK(plan.unsolved[0].starts_with(name));
  CHECK(j.repair().quarantine.empty());
  CHECK(j.tree() == before);
}

TEST_CASE("repair: a listed header is not written over a file that is in other use") {
  damaged_journal j;
  j.spoil(a_segment, 10);
  j.spoil(a_segment, segment_header_copy_at + 10);
  j.spoil(a_segment, records_at + 20);  // what is there cannot be told any more
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  CHECK(plan.unsolved.size() == 1);
}

TEST_CASE("repair: a whole second copy of a former use proves nothing about the first") {
  damaged_journal j;
  j.spoil(a_segment, 10);
  // The other copy is the header of a segment whose records are not in this file.
  write_at(j.file(a_segment), segment_header_copy_at, j.whole["seg/000000.seg"].substr(0, 128));
  const repair_outcome done = j.repair_and_check();
  REQUIRE(done.plan.steps.size() == 2);
  CHECK(j.tree() == j.whole);  // from the checkpoint's list
}

TEST_CASE("repair: a checkpoint that cannot be read goes when another can") {
  for (const std::string name : {"checkpoint.000001", "checkpoint.000002"}) {
    damaged_journal j;
    j.spoil(name, 300);
    const repair_outcome done = j.repair_and_check();
    REQUIRE(done.plan.steps.size() == 1);
    CHECK(done.plan.steps[0].file == name);
    CHECK(!fs::exists(j.file(name)));
    CHECK(j.open_and_read() == count_to(messages));
  }
}

TEST_CASE("repair: the last checkpoint stays, readable or not") {
  damaged_journal j;
  j.spoil("checkpoint.000001", 300);
  j.spoil("checkpoint.000002", 300);
  const auto before = j.tree();
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  CHECK(plan.unsolved.size() == 2);
  CHECK(j.repair().quarantine.empty());
  CHECK(j.tree() == before);
}

TEST_CASE("repair: a file in seg/ that nothing refers to and nobody can read is moved aside") {
  damaged_journal j;
  std::ofstream(j.file("seg/000099.seg")) << std::string(10'000, 'x');
  const repair_outcome done = j.repair_and_check();
  REQUIRE(done.plan.steps.size() == 1);
  CHECK(done.plan.steps[0].what == repair_step::kind::remove);
  CHECK(j.tree() == j.whole);
  CHECK(j.open_and_read() == count_to(messages));
}

// Where message `number` lies.
std::pair<std::string, std::uint64_t> place_of(const damaged_journal& j, std::uint64_t number) {
  auto reader = journal_reader::open(j.dir.path);
  REQUIRE(reader.ok());
  std::pair<std::string, std::uint64_t> place;
  REQUIRE((*reader)
              ->walk(0,
                     [&](const seen_record& seen) {
                       if (seen.record.head.type != record_type::block ||
                           seen.record.head.first_sequence != number)
                         return true;
                       for (const segment_info& s : (*reader)->info().segments)
                         if (s.header.slot == seen.slot)
                           place = {s.name, seen.record.position - s.header.base};
                       return false;
                     })
              .ok());
  REQUIRE(!place.first.empty());
  return place;
}

TEST_CASE("repair: bit rot in a body is named exactly and left as it is") {
  damaged_journal j;
  const auto [name, offset] = place_of(j, 30);
  j.spoil(name, offset + 500);
  const auto before = j.tree();
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  REQUIRE(plan.damaged.size() == 1);
  CHECK(plan.damaged[0].file == name);
  CHECK(plan.damaged[0].offset == offset);
  CHECK(plan.damaged[0].what.stream == 1);
  CHECK(plan.damaged[0].what.messages == range{30, 1});
  CHECK(j.repair().quarantine.empty());
  CHECK(j.tree() == before);
  // The report of another repair names it too.
  j.spoil(name, 10);
  const std::string report = read_whole(j.repair().quarantine + "/report.json");
  CHECK(report.find("\"stream\": 1, \"first_sequence\": 30, \"count\": 1") != std::string::npos);
  std::vector<std::uint64_t> want = count_to(messages);
  std::erase(want, 30);
  CHECK(j.open_and_read() == want);
}

TEST_CASE("repair: a torn tail is left to the next opening") {
  damaged_journal j;
  const auto [name, offset] = place_of(j, messages);
  j.spoil(name, offset + 500);
  // The watermark record behind it would prove that it was durable.
  const std::uint64_t behind = offset + record_size(1500);
  write_at(j.file(name), behind, std::string((16 << 10) - behind, '\0'));
  const auto before = j.tree();
  const repair_plan plan = j.plan();
  CHECK(plan.steps.empty());
  CHECK(plan.damaged.empty());
  CHECK(plan.torn_bytes == record_size(1500));
  CHECK(j.repair().quarantine.empty());
  CHECK(j.tree() == before);
  CHECK(j.open_and_read() == count_to(messages - 1));
}

TEST_CASE("repair: a journal in use is refused, and so is a second repair") {
  damaged_journal j;
  content found;
  auto log = open_at(j.dir.path, found);
  CHECK(plan_repair(j.dir.path).kind() == errc::in_use);
  CHECK(repair_journal(j.dir.path, noon).kind() == errc::in_use);
  log.reset();
  CHECK(plan_repair(j.dir.path).ok());
  CHECK(plan_repair(j.dir.path + "/seg").kind() == errc::not_found);
}

TEST_CASE("repair: cut short after any step, doing it again does the rest") {
  damaged_journal j;
  j.spoil(a_segment, 10);
  j.spoil(a_segment, segment_header_copy_at + 10);
  j.spoil("seg/000000.seg", 10);
  j.spoil("checkpoint.000001", 300);
  std::ofstream(j.file("seg/000099.seg")) << std::string(10'000, 'x');
  const repair_plan plan = j.plan();
  REQUIRE(plan.steps.size() == 5);
  auto want = j.whole;
  want.erase("checkpoint.000001");
  const auto damaged = j.tree();
  for (std::size_t done = 0; done <= plan.steps.size(); ++done) {
    for (const auto& [name, bytes] : damaged) std::ofstream(j.file(name)) << bytes;
    for (std::size_t i = 0; i < done; ++i) {
      const repair_step& step = plan.steps[i];
      if (step.what == repair_step::kind::remove) {
        fs::remove(j.file(step.file));
        continue;
      }
      std::string bytes(step.bytes.size(), '\0');
      std::memcpy(bytes.data(), step.bytes.data(), bytes.size());
      write_at(j.file(step.file), step.offset, bytes);
    }
    CHECK(j.repair().after.steps.empty());
    CHECK(j.tree() == want);
  }
  CHECK(j.open_and_read() == count_to(messages));
}

}  // namespace
}  // namespace holdfast::testing
