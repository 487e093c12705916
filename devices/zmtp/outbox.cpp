#include "devices/zmtp/outbox.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "devices/zmtp/wire.hpp"

namespace holdfast::zmtp {
namespace {

// Below it a copy costs less than a piece of its own in the system call.
constexpr std::size_t copy_max = 2048;
constexpr std::size_t pieces_max = 128, kept_bytes_max = 512 << 10;

}  // namespace

// Never gives memory back while it is filled: most of it is used again at once.
std::byte* outbox::grow(std::size_t bytes) {
  if (copied_.size() - copied_size_ < bytes)
    copied_.resize(std::max({2 * copied_.size(), copied_size_ + bytes, std::size_t{4096}}));
  std::byte* const at = copied_.data() + copied_size_;
  copied_size_ += bytes;
  added_ += bytes;
  return at;
}

void outbox::add(std::span<const part_out> parts, std::uint64_t mark) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const part_out& part = parts[i];
    const std::size_t size = part.bytes.size();
    std::byte head[frame_head_max];
    const std::size_t head_size = put_frame_head(head, size, i + 1 < parts.size());
    const bool stays = part.keep != nullptr && size > copy_max;
    std::byte* const to = grow(head_size + (stays ? 0 : size));
    std::memcpy(to, head, head_size);
    if (!stays && size > 0) std::memcpy(to + head_size, part.bytes.data(), size);
    if (!stays) continue;
    slices_.push_back({copied_size_, part.bytes, *part.keep});
    added_ += size;
  }
  ends_.push_back({added_, mark});
}

void outbox::add(bytes_view raw) {
  if (!raw.empty()) std::memcpy(grow(raw.size()), raw.data(), raw.size());
}

io outbox::flush(int socket) {
  while (!empty()) {
    iovec pieces[pieces_max];
    msghdr what{};
    what.msg_iov = pieces;
    what.msg_iovlen = gather(pieces);
    const ssize_t sent = ::sendmsg(socket, &what, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK) return io::failed;
    if (sent < 0) {
      drop_written();
      return io::would_block;
    }
    pass(static_cast<std::uint64_t>(sent));
  }
  clear();
  return io::done;
}

std::size_t outbox::gather(std::span<iovec> into) const {
  std::size_t count = 0, from = copied_at_, slice_from = slice_at_;
  auto* const copied = const_cast<std::byte*>(copied_.data());  // iovec knows no const
  for (std::size_t i = next_slice_; i < slices_.size() && count + 2 <= into.size(); ++i) {
    const slice& one = slices_[i];
    if (one.behind > from) into[count++] = {copied + from, one.behind - from};
    const bytes_view rest = one.bytes.subspan(slice_from);
    into[count++] = {const_cast<std::byte*>(rest.data()), rest.size()};
    from = one.behind;
    slice_from = 0;
    if (i + 1 < slices_.size()) continue;
    if (copied_size_ > from && count < into.size())
      into[count++] = {copied + from, copied_size_ - from};
    return count;
  }
  if (count == 0) into[count++] = {copied + from, copied_size_ - from};
  return count;
}

void outbox::pass(std::uint64_t bytes) {
  written_ += bytes;
  while (bytes > 0) {
    const bool last = next_slice_ == slices_.size();
    const std::size_t until = last ? copied_size_ : slices_[next_slice_].behind;
    const std::uint64_t copied = std::min<std::uint64_t>(bytes, until - copied_at_);
    copied_at_ += copied;
    bytes -= copied;
    if (last || copied_at_ < until) continue;
    slice& one = slices_[next_slice_];
    const std::uint64_t sliced = std::min<std::uint64_t>(bytes, one.bytes.size() - slice_at_);
    slice_at_ += sliced;
    bytes -= sliced;
    if (slice_at_ < one.bytes.size()) continue;
    one.keep = {};
    slice_at_ = 0;
    ++next_slice_;
  }
}

// A peer that always takes some, and never all: what it took makes room.
void outbox::drop_written() {
  const auto first =
      std::find_if(ends_.begin(), ends_.end(), [&](const end& one) { return one.at > written_; });
  ends_.erase(ends_.begin(), first);
  slices_.erase(slices_.begin(), slices_.begin() + static_cast<std::ptrdiff_t>(next_slice_));
  next_slice_ = 0;
  if (copied_at_ < copied_size_ / 2) return;
  std::memmove(copied_.data(), copied_.data() + copied_at_, copied_size_ - copied_at_);
  copied_size_ -= copied_at_;
  for (slice& one : slices_) one.behind -= copied_at_;
  copied_at_ = 0;
}

void outbox::clear() {
  if (copied_.size() > kept_bytes_max) copied_ = {};
  slices_.clear();
  ends_.clear();
  copied_size_ = added_ = written_ = 0;
  next_slice_ = copied_at_ = slice_at_ = 0;
}

void outbox::rest() {
  if (!empty()) return;
  clear();
  copied_ = {};
  slices_ = {};
  ends_ = {};
}

std::uint64_t outbox::first_unwritten(std::uint64_t none) const noexcept {
  const auto first = std::upper_bound(ends_.begin(), ends_.end(), written_,
                                      [](std::uint64_t at, const end& e) { return at < e.at; });
  return first == ends_.end() ? none : first->mark;
}

}  // namespace holdfast::zmtp
