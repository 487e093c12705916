// open_files: descriptors and maps of the journal's files by number.
//
// Contract: any thread; a file stays open, and its map in place, while somebody uses it.
#pragma once

#include <unistd.h>

#include <cerrno>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/storage.hpp"
#include "journal/mapping.hpp"

namespace holdfast {

class descriptor {
 public:
  explicit descriptor(int fd = -1) noexcept : fd_(fd) {}
  descriptor(descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  descriptor& operator=(descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const noexcept { return fd_; }

 private:
  int fd_;
};

class open_files {
 public:
  using handle = std::shared_ptr<descriptor>;
  struct entry {
    std::string name;
    handle file;
    buffer_ref map;
    int error = EBADF;  ///< why there is no file
  };
  file_id add(std::string name, handle file) {
    const std::lock_guard lock(guard_);
    files_[++last_] = {std::move(name), std::move(file), {}, EBADF};
    return last_;
  }
  void set(file_id id, handle file) {
    const std::lock_guard lock(guard_);
    if (const auto it = files_.find(id); it != files_.end()) it->second.file = std::move(file);
  }
  /// The file could not be made: what is asked of it later fails for the same reason.
  void fail(file_id id, int error) {
    const std::lock_guard lock(guard_);
    if (const auto it = files_.find(id); it != files_.end()) it->second.error = error;
  }
  int error(file_id id) const {
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    return it == files_.end() ? EBADF : it->second.error;
  }
  handle get(file_id id) const {
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    return it == files_.end() ? nullptr : it->second.file;
  }
  std::string name(file_id id) const {
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    return it == files_.end() ? std::string() : it->second.name;
  }
  result<buffer_ref> map(file_id id, const std::string& directory) {
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    if (it == files_.end()) return {errc::io, "a view of a file that was closed"};
    if (!it->second.map) {
      result<buffer_ref> made = map_file(directory + "/" + it->second.name);
      if (!made) return made;
      it->second.map = std::move(made).value();
    }
    return it->second.map;
  }
  /// Somebody holds a part of the file's map.
  bool map_in_use(file_id id) const {
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    return it != files_.end() && it->second.map && !it->second.map.unique();
  }
  void remove(file_id id) {
    entry gone;  // unmapped outside the lock
    const std::lock_guard lock(guard_);
    const auto it = files_.find(id);
    if (it == files_.end()) return;
    gone = std::move(it->second);
    files_.erase(it);
  }

 private:
  mutable std::mutex guard_;
  std::map<file_id, entry> files_;
  file_id last_ = 0;
};

}  // namespace holdfast
