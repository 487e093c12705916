#include "devices/export/output_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

namespace holdfast {
namespace {

std::string part_of(const std::string& name) {
  return name + ".part";
}

}  // namespace

output_file::output_file(output_file&& other) noexcept
    : name_(std::exchange(other.name_, {})),
      fd_(std::exchange(other.fd_, -1)),
      pending_(std::move(other.pending_)),
      size_(other.size_) {}

output_file::~output_file() {
  if (name_.empty()) return;
  ::close(fd_);
  ::unlink(part_of(name_).c_str());
}

result<output_file> output_file::create(const std::string& name) {
  if (::access(name.c_str(), F_OK) == 0)
    return status{errc::invalid,
                  "'" + name + "' is there already; give another name, or remove it first"};
  output_file made;
  made.fd_ = ::open(part_of(name).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (made.fd_ < 0)
    return status{errc::io, "'" + part_of(name) + "' cannot be made: " + std::strerror(errno)};
  made.name_ = name;
  return made;
}

status output_file::write(bytes_view bytes) {
  size_ += bytes.size();
  if (pending_.size() + bytes.size() > pending_bytes_max) {
    if (status wrote = put(pending_); !wrote) return wrote;
    pending_.clear();
    if (bytes.size() >= pending_bytes_max) return put(bytes);
  }
  pending_.insert(pending_.end(), bytes.begin(), bytes.end());
  return {};
}

status output_file::put(bytes_view bytes) {
  while (!bytes.empty()) {
    const ssize_t wrote = ::write(fd_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote < 0) return broken("written", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(wrote));
  }
  return {};
}

status output_file::commit() {
  if (status wrote = put(pending_); !wrote) return wrote;
  pending_.clear();
  if (name_.empty()) return {};
  if (::fsync(fd_) != 0) return broken("synced", errno);
  if (::rename(part_of(name_).c_str(), name_.c_str()) != 0) return broken("renamed", errno);
  return {};
}

status output_file::broken(const char* what, int error) const {
  const std::string whom = name_.empty() ? "standard output" : "'" + part_of(name_) + "'";
  return {errc::io, whom + " cannot be " + what + ": " + std::strerror(error) +
                        "; the export is not complete"};
}

}  // namespace holdfast
