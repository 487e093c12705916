#include "devices/zmtp/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::zmtp {
namespace {

constexpr std::uint64_t unsent_max = 64 << 10;  // answers to pings

}  // namespace

connection::connection(const role& as, fd socket, std::string who, const intake_limits& limits)
    : socket_(std::move(socket)), who_(std::move(who)), intake_(as, limits) {
  answer();
}

bool connection::receive() {
  if (ended_) return false;
  make_room();
  const std::size_t asked = memory_->capacity() - end_;
  const ssize_t got = ::recv(socket_.get(), memory_->data() + end_, asked, MSG_DONTWAIT);
  if (got < 0 && errno == EINTR) return true;
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return readable_ = false;
  if (got <= 0) {
    end();
    return false;
  }
  end_ += static_cast<std::size_t>(got);
  learn(asked, static_cast<std::size_t>(got));
  readable_ = static_cast<std::size_t>(got) == asked || ending_;
  return true;
}

// The part of a message that is there stays together with what is to come.
void connection::make_room() {
  const std::size_t wanted =
      std::max<std::size_t>({read_bytes_, intake_.wanted(), held() + read_bytes_min / 4});
  if (memory_ && wanted <= memory_->capacity()) {
    if (begin_ > 0 && held() > 0) std::memmove(memory_->data(), memory_->data() + begin_, held());
  } else {
    auto* fresh = new slab(wanted);
    buffer_ref holder(fresh);
    if (held() > 0) std::memcpy(fresh->data(), memory_->data() + begin_, held());
    memory_ = fresh;
    holder_ = std::move(holder);
  }
  end_ = held();
  begin_ = 0;
}

void connection::learn(std::size_t asked, std::size_t got) noexcept {
  if (got == asked) read_bytes_ = std::min(read_bytes_ * 2, read_bytes_max);
  if (got < read_bytes_ / 8) read_bytes_ = std::max(read_bytes_ / 2, read_bytes_min);
}

seen connection::next() {
  std::size_t consumed = 0;
  const seen found =
      intake_.look_at({memory_ ? memory_->data() + begin_ : nullptr, held()}, consumed);
  begin_ += consumed;
  if (!intake_.to_send().empty()) answer();
  return found == seen::incomplete && ended_ ? seen::failed : found;
}

seen connection::advance() {
  for (;;) {
    const seen found = next();
    if (found != seen::incomplete && found != seen::progress) return found;
    if (found == seen::progress) continue;
    if (!readable_) return found;
    receive();
  }
}

void connection::rest() {
  if (held() > 0 || !memory_ || memory_->capacity() <= read_bytes_min) return;
  memory_ = nullptr;
  holder_ = {};
  begin_ = end_ = 0;
}

void connection::end() noexcept {
  ended_ = true;
  readable_ = false;
}

// Few bytes, and the peer reads them before it sends more than it may.
void connection::answer() {
  std::vector<std::byte>& all = intake_.to_send();
  const bool alone = out_.empty();
  answered_ = (alone ? 0 : answered_) + all.size();
  out_.add(all);
  all.clear();
  (void)flush();  // a connection that broke shows as its end, too
  if (!out_.empty() && answered_ > unsent_max) end();
}

}  // namespace holdfast::zmtp
