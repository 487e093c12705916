// Small commits on an idle line: who makes them, and that nobody's are lost.
#include "journal/file_storage.hpp"
#include "journal/sync_pace.hpp"
#include "tests/journal/directory.hpp"

namespace holdfast::testing {
namespace {

constexpr std::uint64_t quick = 100'000, slow = 100 * ms_ns;

int syncs_until_quick(sync_pace& pace) {
  int count = 0;
  for (; !pace.is_quick(1, 0); ++count) pace.synced(1, quick);
  return count;
}

TEST_CASE("a disk has to show that its syncs are quick, and again after a slow one") {
  sync_pace pace;
  const int at_first = syncs_until_quick(pace);
  CHECK(at_first > 10);
  CHECK(at_first < 100);
  pace.synced(2, slow);
  CHECK(!pace.is_quick(1, 0));
  const int after_one = syncs_until_quick(pace);
  CHECK(after_one > 10);
  CHECK(after_one < at_first);
  pace.wrote(2, sync_pace::small_bytes + 1);
  pace.synced(2, slow);  // of much: says nothing of one of little
  CHECK(pace.is_quick(1, 0));
}

TEST_CASE("a sync is small if little of its file waits for it") {
  sync_pace pace;
  syncs_until_quick(pace);
  pace.wrote(1, sync_pace::small_bytes - 100);
  pace.wrote(2, 100);
  CHECK(pace.is_quick(1, 100));
  CHECK(!pace.is_quick(1, 101));
  CHECK(pace.is_quick(2, 1000));
  pace.synced(1, quick);
  CHECK(pace.is_quick(1, sync_pace::small_bytes));
  CHECK(!pace.is_quick(2, sync_pace::small_bytes));
}

class line {
 public:
  explicit line(const std::string& path) : on_(open_file_storage(path).value()) {
    io_op made;
    made.what = io_op::kind::create;
    made.file = file_ = on_->assign("log");
    made.size = 1 << 20;
    on_->submit({&made, 1});
    await(1);
  }
  /// One message, written and synced.
  void commit() {
    const std::byte one{static_cast<unsigned char>(++commits)};
    std::array<io_op, 2> ops;
    ops[0].what = io_op::kind::write;
    ops[0].at = commits;
    ops[0].pieces.push_back(copy_to_buffer({&one, 1}));
    ops[1].what = io_op::kind::sync;
    for (io_op& op : ops) op.file = file_;
    on_->submit(ops);
  }
  void await(std::size_t results) {
    for (std::size_t got = 0; got < results;) {
      on_->wait();
      std::vector<io_result> done;
      got += on_->poll(done);
      for (const io_result& one : done) CHECK(one.error == 0);
    }
  }
  storage& files() { return *on_; }
  std::uint64_t commits = 0;

 private:
  std::unique_ptr<storage> on_;
  file_id file_ = 0;
};

TEST_CASE("small commits are made whatever the caller does next") {
  temporary_directory dir;
  line on(dir.path);
  int at_once = 0;
  std::vector<io_result> done;
  for (int i = 0; i < 300; ++i) {
    on.commit();
    if (i % 3 == 0) on.commit();  // both at once, or one after the other
    const std::size_t due = i % 3 == 0 ? 4 : 2;
    if (i % 2 == 0) on.files().before_sleep();
    done.clear();
    std::size_t got = on.files().poll(done);
    at_once += got == due;
    on.await(due - got);
  }
  MESSAGE(at_once, " of 150 commits were made by the caller");
}

TEST_CASE("what was submitted and never asked for is made before the storage goes") {
  temporary_directory dir;
  {
    line on(dir.path);
    for (int i = 0; i < 200; ++i) {
      on.commit();
      on.files().before_sleep();
      on.await(2);
    }
    on.commit();
    on.commit();
  }
  const std::string bytes = read_whole(dir.path + "/log");
  for (std::size_t i = 1; i <= 202; ++i) CHECK(bytes[i] == static_cast<char>(i));
}

}  // namespace
}  // namespace holdfast::testing
