// What an append costs beside its instructions: system calls, page faults and allocations of the
// thread that appends, counted in steady state.
//
// System calls are counted from outside: a child runs the turns under ptrace, its main thread
// alone, and marks where counting begins and ends with calls of numbers that do not exist. Each
// counter is shown something to count, so that a counter that is blind fails the test.
#include <doctest/doctest.h>

#include <linux/futex.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <map>

#include "journal/open.hpp"
#include "tests/allocations.hpp"
#include "tests/journal/rig.hpp"
#include "tests/temporary_directory.hpp"

namespace holdfast::testing {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool judged = false;  // sanitizers call, fault and allocate on their own
#else
constexpr bool judged = true;
#endif
constexpr std::uint64_t batch = 64;
constexpr long begin_mark = 100'001, end_mark = 100'002;

/// A live journal in a directory of its own, and turns of one batch each.
class line {
 public:
  explicit line(level need) {
    journal_options options;
    options.tail_bytes = 1 << 20;
    open_report report;
    auto opened = open_journal(directory_.path, options, report);
    if (!opened.ok() || !(*opened)->replay([](auto) {}).ok()) std::abort();
    log_ = std::move(opened).value();
    sample_ = block_item(1, 1, 1, 64, need);
    items_.resize(batch);
  }
  /// The batch of the next turn, made outside of what is counted.
  void prepare() {
    for (append_item& item : items_) {
      item = sample_;
      item.head.first_sequence = next_++;
    }
  }
  void append() { last_ = log_->append(items_); }
  /// Everything is as durable as asked, and the commit thread idle or about to be.
  void settle() {
    while (log_->progress().at(sample_.head.need) < last_) {
      pollfd done{log_->wake_fd(), POLLIN, 0};
      ::poll(&done, 1, 100);
    }
  }
  /// So many turns; `counted` goes around each append.
  void turns(int count, const std::function<void(const std::function<void()>&)>& counted) {
    for (int i = 0; i < count; ++i) {
      prepare();
      counted([this] { append(); });
      settle();
    }
  }
  void warm_up() {
    // Past what is kept in memory, and past the growth of every table.
    turns(400, [](const auto& call) { call(); });
  }

 private:
  temporary_directory directory_;
  std::unique_ptr<journal> log_;
  append_item sample_;
  std::vector<append_item> items_;
  std::uint64_t next_ = 1;
  ticket last_ = 0;
};

struct calls {
  std::map<long, int> of;  // by number
  int wakes = 0;           // futex, waking somebody
  int all() const {
    int sum = 0;
    for (const auto& [number, count] : of) sum += count;
    return sum;
  }
  int count(long number) const {
    const auto it = of.find(number);
    return it == of.end() ? 0 : it->second;
  }
  int others(std::initializer_list<long> known) const {
    int sum = all();
    for (const long number : known) sum -= count(number);
    return sum;
  }
};

void mark(long number) {
  (void)::syscall(number);
}

/// Runs `body` in a child and counts the system calls of its thread between the marks.
calls count_calls(const std::function<void()>& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(77);
    ::raise(SIGSTOP);
    body();
    ::_exit(0);
  }
  calls found;
  bool counting = false;
  int state = 0;
  ::waitpid(child, &state, 0);
  REQUIRE_MESSAGE(WIFSTOPPED(state), "a child cannot be traced here (ptrace)");
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
  for (long deliver = 0;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, deliver);
    if (::waitpid(child, &state, 0) < 0 || !WIFSTOPPED(state)) break;
    deliver = WSTOPSIG(state) == (SIGTRAP | 0x80) ? 0 : WSTOPSIG(state);
    if (deliver != 0) continue;
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    const auto number = static_cast<long>(info.entry.nr);
    if (number == begin_mark || number == end_mark) {
      counting = number == begin_mark;
    } else if (counting) {
      ++found.of[number];
      found.wakes += number == SYS_futex && (info.entry.args[1] & FUTEX_CMD_MASK) == FUTEX_WAKE;
    }
  }
  REQUIRE_MESSAGE((WIFEXITED(state) && WEXITSTATUS(state) == 0), "the child did not end well");
  return found;
}

void marked(const std::function<void()>& call) {
  mark(begin_mark);
  call();
  mark(end_mark);
}

calls calls_of_turns(level need, int turns, bool planted) {
  return count_calls([=] {
    line on(need);
    on.warm_up();
    on.turns(turns, [planted](const auto& call) {
      marked([&] {
        call();
        if (planted) ::getppid();
      });
    });
  });
}

std::string told(const calls& found) {
  std::string text = std::to_string(found.wakes) + " wakes";
  for (const auto& [number, count] : found.of)
    text += ", call " + std::to_string(number) + ": " + std::to_string(count);
  return text;
}

constexpr int turns = 200;

TEST_CASE("append: one wake a turn of an idle commit thread, no other system call") {
  const calls found = calls_of_turns(level::disk, turns, false);
  MESSAGE(turns, " turns of ", batch, " records at level disk: ", told(found));
  if (!judged) return;
  CHECK(found.wakes <= turns);
  CHECK(found.all() <= turns);
  CHECK(found.others({SYS_futex}) == 0);
}

TEST_CASE("append: below disk a small turn on an idle line is one write and its notice") {
  const calls found = calls_of_turns(level::process, turns, false);
  MESSAGE(turns, " turns of ", batch, " records at level process: ", told(found));
  if (!judged) return;
  // docs/adr/0005: written by the caller, never per record. What waits for its sync, up to a
  // second, is kept in memory, so memory may still grow.
  CHECK(found.others({SYS_futex, SYS_pwritev, SYS_write, SYS_brk, SYS_mmap, SYS_munmap}) == 0);
  CHECK(found.count(SYS_pwritev) <= turns);
  CHECK(found.count(SYS_write) <= turns);
}

TEST_CASE("append: the counter of system calls sees one that is planted") {
  const calls found = calls_of_turns(level::disk, turns, true);
  if (judged) CHECK(found.others({SYS_futex}) == turns);
}

std::uint64_t faults() {
  rusage used{};
  ::getrusage(RUSAGE_THREAD, &used);
  return static_cast<std::uint64_t>(used.ru_minflt + used.ru_majflt);
}

TEST_CASE("append: no page fault in steady state") {
  line on(level::disk);
  on.warm_up();
  std::uint64_t seen = 0;
  on.turns(turns, [&](const auto& call) {
    const std::uint64_t before = faults();
    call();
    seen += faults() - before;
  });
  MESSAGE(turns, " turns of ", batch, " records: ", seen, " page faults");
  // Slabs of headers are malloc's, which may give memory that was never touched.
  if (judged) CHECK(seen <= turns / 20);
  const std::size_t page = 4096;
  const std::uint64_t before = faults();
  void* fresh = ::mmap(nullptr, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(fresh != MAP_FAILED);
  *static_cast<volatile char*>(fresh) = 1;
  CHECK(faults() > before);
  ::munmap(fresh, page);
}

TEST_CASE("append: allocations are per turn and per 64 KiB of headers, not per record") {
  line on(level::disk);
  on.warm_up();
  std::uint64_t seen = 0, most = 0;
  on.turns(turns, [&](const auto& call) {
    const std::uint64_t before = allocations_of_this_thread();
    call();
    seen += allocations_of_this_thread() - before;
    most = std::max(most, allocations_of_this_thread() - before);
  });
  MESSAGE(turns, " turns of ", batch, " records: ", seen, " allocations, at most ", most,
          " a turn");
  if (judged) CHECK(seen <= turns * 4);
  if (judged) CHECK(most <= 12);
  const std::uint64_t before = allocations_of_this_thread();
  const std::unique_ptr<int> one(new int(static_cast<int>(before)));
  CHECK(allocations_of_this_thread() > before);
}

}  // namespace
}  // namespace holdfast::testing
