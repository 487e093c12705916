#include "journal/positional_io.hpp"

#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace holdfast {
namespace {

// What is left of the parts when their first `bytes` are written.
std::span<iovec> rest_of(std::span<iovec> parts, std::size_t bytes) noexcept {
  while (!parts.empty() && bytes >= parts.front().iov_len) {
    bytes -= parts.front().iov_len;
    parts = parts.subspan(1);
  }
  if (bytes == 0) return parts;
  parts.front().iov_base = static_cast<char*>(parts.front().iov_base) + bytes;
  parts.front().iov_len -= bytes;
  return parts;
}

}  // namespace

bool read_at(int fd, std::uint64_t at, std::span<std::byte> into) noexcept {
  while (!into.empty()) {
    const ssize_t got = ::pread(fd, into.data(), into.size(), static_cast<off_t>(at));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += static_cast<std::uint64_t>(got);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return true;
}

int write_at(int fd, std::uint64_t& at, std::span<iovec> parts) noexcept {
  while (!parts.empty()) {
    const auto many = static_cast<int>(std::min<std::size_t>(parts.size(), IOV_MAX));
    const ssize_t put = ::pwritev(fd, parts.data(), many, static_cast<off_t>(at));
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return put < 0 ? errno : EIO;
    at += static_cast<std::uint64_t>(put);
    parts = rest_of(parts, static_cast<std::size_t>(put));
  }
  return 0;
}

}  // namespace holdfast
