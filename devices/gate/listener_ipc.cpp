// The ipc half of listener: socket files are shared with other processes, dead and alive.
#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <cerrno>

#include "devices/gate/listener.hpp"
#include "devices/gate/unix_address.hpp"

namespace holdfast {

result<listener> open_ipc(std::string_view endpoint, int backlog);

namespace {

constexpr int lock_patience_ms = 100;

status failed(std::string_view endpoint, std::string_view why, errc kind = errc::io) {
  return {kind, "cannot listen at " + std::string(endpoint) + ": " + std::string(why)};
}

/// The lock that keeps starting and ending processes apart: on the directory, so that it leaves no
/// file behind. A directory that cannot be opened, or that somebody holds for longer than
/// lock_patience_ms (we hold it for microseconds), is used unlocked.
fd lock_directory_of(const std::string& path) noexcept {
  const std::size_t slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "."
                                : slash == 0               ? "/"
                                                           : path.substr(0, slash);
  fd opened(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  for (int waited = 0; opened && waited < lock_patience_ms; ++waited) {
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) == 0) break;
    ::poll(nullptr, 0, 1);
  }
  return opened;
}

/// Removes a socket file nobody listens at. Anything else that is there is a failure.
status clear_stale(std::string_view endpoint, const std::string& path, const unix_address& where) {
  struct stat seen {};
  if (::lstat(path.c_str(), &seen) != 0)
    return errno == ENOENT ? status{} : failed(endpoint, errno_text(errno));
  if (!S_ISSOCK(seen.st_mode))
    return failed(endpoint, "a file that is no socket is in the way", errc::in_use);
  const fd probe = unix_socket();
  if (!probe) return failed(endpoint, errno_text(errno));
  const int refused = ::connect(probe.get(), where.get(), where.size) == 0 ? 0 : errno;
  if (refused == 0 || refused == EAGAIN)
    return failed(endpoint, "another process listens there", errc::in_use);
  if (refused != ECONNREFUSED)
    return failed(endpoint, "cannot tell whether the socket there is live: " + errno_text(refused),
                  errc::in_use);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT)
    return failed(endpoint, "cannot remove the stale socket there: " + errno_text(errno));
  return {};
}

}  // namespace

result<listener> open_ipc(std::string_view endpoint, int backlog) {
  const std::string path(endpoint.substr(6));
  if (path.empty() || path == "@" || path == "*")
    return failed(endpoint, "write ipc://PATH or ipc://@NAME", errc::invalid);
  if (path.size() > socket_path_max)
    return failed(endpoint,
                  "the path has " + std::to_string(path.size()) + " bytes, the kernel takes " +
                      std::to_string(socket_path_max) + ": use a shorter or a relative one",
                  errc::invalid);
  const bool abstract = path.front() == '@';
  const unix_address where(path);
  fd lock;
  if (!abstract) {
    lock = lock_directory_of(path);
    if (status cleared = clear_stale(endpoint, path, where); !cleared) return cleared;
  }
  listener made;
  made.endpoint_ = endpoint;
  made.socket_ = unix_socket();
  if (!made.socket_) return failed(endpoint, errno_text(errno));
  if (::bind(made.get(), where.get(), where.size) != 0)
    return failed(endpoint, errno_text(errno), errno == EADDRINUSE ? errc::in_use : errc::io);
  struct stat made_file {};
  if (!abstract && ::lstat(path.c_str(), &made_file) == 0) {
    made.path_ = path;
    made.device_ = made_file.st_dev;
    made.inode_ = made_file.st_ino;
  }
  if (::listen(made.get(), backlog) != 0) return failed(endpoint, errno_text(errno));
  return made;
}

void listener::remove_file() noexcept {
  if (path_.empty()) return;
  const fd lock = lock_directory_of(path_);
  struct stat seen {};
  if (::lstat(path_.c_str(), &seen) == 0 && seen.st_dev == device_ && seen.st_ino == inode_)
    ::unlink(path_.c_str());
  path_.clear();
}

listener::listener(listener&& other) noexcept
    : socket_(std::move(other.socket_)),
      tcp_(other.tcp_),
      endpoint_(std::move(other.endpoint_)),
      path_(std::exchange(other.path_, {})),
      device_(other.device_),
      inode_(other.inode_) {}

listener& listener::operator=(listener&& other) noexcept {
  remove_file();
  socket_ = std::move(other.socket_);
  tcp_ = other.tcp_;
  endpoint_ = std::move(other.endpoint_);
  path_ = std::exchange(other.path_, {});
  device_ = other.device_;
  inode_ = other.inode_;
  return *this;
}

// The file goes before the socket closes: nobody finds it refusing.
listener::~listener() {
  remove_file();
}

}  // namespace holdfast
