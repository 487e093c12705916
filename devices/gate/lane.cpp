#include "devices/gate/lane.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace holdfast {

std::unique_ptr<conduit> conduit_pool::take() {
  if (!spare_.empty()) {
    auto kept = std::move(spare_.back());
    spare_.pop_back();
    if (!(copy_ && !kept->copy)) return kept;
  }
  return make();
}

std::unique_ptr<conduit> conduit_pool::make() {
  auto made = std::make_unique<conduit>();
  int ends[2];
  if (!copy_ && ::pipe2(ends, O_NONBLOCK | O_CLOEXEC) == 0) {
    made->out = fd(ends[0]);
    made->in = fd(ends[1]);
    // Best effort: an unprivileged user over the kernel's soft limit keeps a smaller pipe.
    ::fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(bytes_));
    return made;
  }
  ++copies_;
  made->copy.reset(new std::byte[bytes_]);
  return made;
}

void conduit_pool::give_back(std::unique_ptr<conduit> empty) {
  if (spare_.size() < kept_max) spare_.push_back(std::move(empty));
}

ssize_t lane::take_once(int from, conduit_pool& pool) {
  if (!through_->copy) {
    const ssize_t n = ::splice(from, nullptr, through_->in.get(), nullptr, pool.bytes(),
                               SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
    if (n >= 0 || (errno != EINVAL && errno != ENOSYS)) return n;
    pool.never_splice();
    through_ = pool.take();
  }
  through_->copied_at = 0;
  return ::recv(from, through_->copy.get(), pool.bytes(), MSG_DONTWAIT);
}

void lane::take(int from, conduit_pool& pool) {
  if (!through_) through_ = pool.take();
  const ssize_t n = take_once(from, pool);
  if (n > 0) {
    held_now_ = static_cast<std::size_t>(n);
    taken_ += held_now_;
  } else if (n == 0) {
    source_ended_ = true;
  } else if (errno == EAGAIN || errno == EINTR) {
    readable_ = errno == EINTR;
  } else {
    source_error_ = errno;
    source_ended_ = true;
  }
}

std::size_t lane::give(int to) {
  const ssize_t n = through_->copy ? ::send(to, through_->copy.get() + through_->copied_at,
                                            held_now_, MSG_DONTWAIT | MSG_NOSIGNAL)
                                   : ::splice(through_->out.get(), nullptr, to, nullptr, held_now_,
                                              SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (n > 0) {
    const auto given = static_cast<std::size_t>(n);
    held_now_ -= given;
    through_->copied_at += given;
    return given;
  }
  if (n < 0 && errno == EINTR) return 0;
  writable_ = false;
  if (n < 0 && errno != EAGAIN) sink_error_ = errno;
  return 0;
}

std::size_t lane::pump(int from, int to, conduit_pool& pool, std::size_t budget) {
  std::size_t moved = 0;
  moving_.store(true, std::memory_order_seq_cst);
  while (moved < budget && more()) {
    if (held_now_ == 0) take(from, pool);
    if (held_now_ > 0 && more()) moved += give(to);
  }
  publish();
  moving_.store(false, std::memory_order_seq_cst);
  if (through_ && held_now_ == 0) pool.give_back(std::move(through_));
  return moved;
}

void lane::discard(conduit_pool& pool) {
  if (through_ && held_now_ == 0) pool.give_back(std::move(through_));
  through_.reset();
  held_now_ = 0;
  publish();
}

}  // namespace holdfast
