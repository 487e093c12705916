#include "devices/zmtp/connection.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace holdfast::zmtp {
namespace {

constexpr std::uint64_t unsent_max = 64 << 10;  // answers to pings
constexpr std::uint64_t large_bytes = 64 << 10;
constexpr unsigned small_reads_max = 8;  // the end of a batch is small, whatever the batch was
constexpr std::size_t trusted_bytes = 16 << 20;  // of what a head announces; beyond it, what came
constexpr std::size_t look_ahead = read_bytes_min / 4, keep_bytes_min = 4096;
constexpr std::size_t headroom = 16;  // in front of what is received

}  // namespace

connection::connection(const role& as, fd socket, std::string who, const intake_limits& limits)
    : socket_(std::move(socket)), who_(std::move(who)), intake_(as, limits) {
  answer();
}

bool connection::receive() {
  if (ended_) return false;
  make_room();
  const std::size_t room = memory_->capacity() - end_;
  const std::size_t asked = missing() > 0 ? std::min(room, missing() + look_ahead) : room;
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

// Of a large message whose begin is here. Little is read beyond it: that has to be moved.
std::size_t connection::missing() const noexcept {
  const std::uint64_t wanted = intake_.wanted();
  return wanted < large_bytes || wanted <= held() ? 0 : static_cast<std::size_t>(wanted) - held();
}

// The part of a message that is there stays together with what is to come. Memory of which
// something is kept is not written over.
void connection::make_room() {
  if (memory_ && holder_.unique() && begin_ > headroom) {
    if (held() > 0) std::memmove(memory_->data() + headroom, memory_->data() + begin_, held());
    end_ = headroom + held();
    begin_ = headroom;
  }
  const std::size_t all = headroom + (missing() > 0 ? for_large() : for_small());
  // What a large message begins in is its own, so that it can be detached; but memory of which
  // something is kept is used up: it stays as long as that, however little it is.
  const bool begins = missing() > 0 && held() <= look_ahead && holder_.unique();
  const bool ill_fits = begins && memory_->capacity() > all + all / 4;
  const bool short_of = memory_ && memory_->capacity() - end_ < least_room();
  const bool grows = missing() == 0 && holder_.unique() && memory_->capacity() < all;
  if (!memory_ || grows || ill_fits || short_of) move_to(new slab(all));
}

// A read is worth it from there on.
std::size_t connection::least_room() const noexcept {
  if (missing() > 0) return std::min(missing() + look_ahead, read_bytes_max);
  return std::max(read_bytes_ / 8, look_ahead);
}

// All of it, if that much is trusted: beyond, twice what has come.
std::size_t connection::for_large() const noexcept {
  return held() + std::min(missing() + look_ahead, std::max(held(), trusted_bytes));
}

std::size_t connection::for_small() const noexcept {
  const bool gathers = memory_ && held() > memory_->capacity() / 2;  // a message of many parts
  return std::max({held() + least_room(), read_bytes_, gathers ? 2 * memory_->capacity() : 0});
}

void connection::move_to(slab* fresh) {
  buffer_ref holder(fresh);
  if (held() > 0) std::memcpy(fresh->data() + headroom, memory_->data() + begin_, held());
  end_ = headroom + held();
  begin_ = headroom;
  memory_ = fresh;
  holder_ = std::move(holder);
}

// The next message is most likely as large, and what came of it is in front of it already.
roomy_part connection::detach(std::size_t before, std::size_t behind) {
  const bytes_view part = parts().front();
  if (parts().size() != 1 || part.size() < large_bytes || !holder_.unique()) return {};
  const auto at = static_cast<std::size_t>(part.data() - memory_->data());
  const std::size_t capacity = memory_->capacity();
  const bool most_of_it = part.size() > capacity / 4 * 3;
  if (!most_of_it || at < before || at + part.size() + behind > capacity) return {};
  roomy_part made{holder_, memory_->data() + at, part.size()};
  move_to(new slab(capacity));
  return made;
}

buffer_ref connection::kept(bytes_view part) const {
  if (part.size() < keep_bytes_min) return copy_to_buffer(part);
  return buffer_ref(holder_.owner(), part);
}

void connection::learn(std::size_t asked, std::size_t got) noexcept {
  if (got == asked) read_bytes_ = std::min(read_bytes_ * 2, read_bytes_max);
  small_reads_ = got < read_bytes_ / 8 ? small_reads_ + 1 : 0;
  if (small_reads_ < small_reads_max) return;
  small_reads_ = 0;
  read_bytes_ = std::max(read_bytes_ / 2, read_bytes_min);
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
    if (found == seen::incomplete && readable_)
      receive();
    else if (found != seen::progress)
      return found;
  }
}

void connection::rest() {
  if (held() > 0 || !memory_ || memory_->capacity() <= read_bytes_min + headroom) return;
  memory_ = nullptr;
  holder_ = {};
  begin_ = end_ = 0;
}

void connection::hang_up() noexcept {
  out_ = {};
  ::shutdown(socket_.get(), SHUT_RDWR);
  readable_ = true;
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
