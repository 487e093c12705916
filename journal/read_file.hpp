// read_file: a file opened for reading by offset, for those who look at a journal without opening
// it.
//
// Contract: blocking; read() is all or nothing. A file that is not there is not an error: it may
// have been trimmed a moment ago.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>

#include <cstdint>
#include <span>
#include <string>

#include "journal/descriptor.hpp"
#include "journal/positional_io.hpp"

namespace holdfast {

class read_file {
 public:
  read_file() noexcept = default;
  explicit read_file(const std::string& path) : file_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  bool is_open() const noexcept { return file_.get() >= 0; }
  int get() const noexcept { return file_.get(); }
  /// Also of a file whose name is gone by now.
  std::uint64_t size() const noexcept {
    struct stat found {};
    return ::fstat(file_.get(), &found) == 0 ? static_cast<std::uint64_t>(found.st_size) : 0;
  }
  bool read(std::uint64_t at, std::span<std::byte> into) const {
    return read_at(file_.get(), at, into);
  }

 private:
  descriptor file_;
};

}  // namespace holdfast
