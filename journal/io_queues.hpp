// io_queues: what the file storage's threads are to do, and what they have done.
//
// Contract: op_queue: one thread pushes, those that take sleep while it is empty. result_queue: any
// thread pushes, one takes; an eventfd says that there is something to take.
#pragma once

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <condition_variable>
#include <iterator>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "base/storage.hpp"
#include "journal/descriptor.hpp"

namespace holdfast {

class result_queue {
 public:
  result_queue() : wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
  /// Readable while there are results; to be asked for before each wait.
  int fd() {
    const std::lock_guard lock(guard_);
    if (!done_.empty()) signal();
    return wake_.get();
  }
  void push(std::vector<io_result>& done) {
    push_unsignalled(done);
    fd();
  }
  /// By the thread that takes: it looks here, or asks for fd(), before it waits.
  void push_unsignalled(std::vector<io_result>& done) {
    const std::lock_guard lock(guard_);
    done_.insert(done_.end(), std::make_move_iterator(done.begin()),
                 std::make_move_iterator(done.end()));
    done.clear();
  }
  std::size_t take(std::vector<io_result>& out) {
    const std::lock_guard lock(guard_);
    std::uint64_t count = 0;
    if (std::exchange(signalled_, false)) {
      [[maybe_unused]] const auto got = ::read(wake_.get(), &count, sizeof count);
    }
    const std::size_t size = done_.size();
    out.insert(out.end(), std::make_move_iterator(done_.begin()),
               std::make_move_iterator(done_.end()));
    done_.clear();
    return size;
  }
  void wait() {
    pollfd ready{fd(), POLLIN, 0};
    ::poll(&ready, 1, -1);
  }

 private:
  void signal() {
    const std::uint64_t one = 1;
    if (std::exchange(signalled_, true)) return;
    [[maybe_unused]] const auto put = ::write(wake_.get(), &one, sizeof one);
  }

  const descriptor wake_;
  std::mutex guard_;
  std::vector<io_result> done_;
  bool signalled_ = false;
};

// A queue of operations with its sleepers.
class op_queue {
 public:
  void push(std::span<io_op> ops) {
    bool wake = false;
    {
      const std::lock_guard lock(guard_);
      waiting_.insert(waiting_.end(), std::make_move_iterator(ops.begin()),
                      std::make_move_iterator(ops.end()));
      wake = idle_ != 0;
    }
    if (wake) signal_.notify_one();
  }
  /// Everything that waits, at most `limit`, into `out`, which is empty; false when stopped.
  /// Whoever pushes never waits for what waits to be moved: it is handed over whole.
  bool take(std::vector<io_op>& out, std::size_t limit) {
    std::unique_lock lock(guard_);
    ++idle_;
    signal_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    --idle_;
    if (waiting_.empty()) return false;
    if (waiting_.size() <= limit) {
      out.swap(waiting_);
      return true;
    }
    const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(limit);
    out.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
    waiting_.erase(waiting_.begin(), end);
    return true;
  }
  /// Nothing waits and nothing runs: every thread of this queue sleeps. Stays so until the caller,
  /// who alone pushes, pushes.
  bool at_rest() const {
    const std::lock_guard lock(guard_);
    return idle_ != 0 && waiting_.empty();
  }
  void stop() {
    {
      const std::lock_guard lock(guard_);
      stopped_ = true;
    }
    signal_.notify_all();
  }

 private:
  mutable std::mutex guard_;
  std::condition_variable signal_;
  std::vector<io_op> waiting_;
  std::uint32_t idle_ = 0;
  bool stopped_ = false;
};

}  // namespace holdfast
