// tool_files: the blocking file operations of backup, restore and repair, each failure in one
// sentence that names the file.
//
// Contract: blocking, tools only; any thread, one at a time an object. What was written is durable
// once sync() of the file and sync_directory() of the directory that names it returned.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/coding.hpp"
#include "holdfast/status.hpp"
#include "journal/descriptor.hpp"

namespace holdfast {

class tool_file {
 public:
  enum class how : std::uint8_t { read, change, create };
  tool_file() = default;
  tool_file(std::string path, how way);

  bool is_open() const noexcept { return file_.get() >= 0; }
  const std::string& path() const noexcept { return path_; }
  /// Why it is not open: not_found where there is no such file.
  status opened() const;
  std::uint64_t size() const;
  /// False if not all of `into` could be read.
  bool read(std::uint64_t at, std::span<std::byte> into) const;
  status write(std::uint64_t at, bytes_view bytes);
  /// Exactly `size` bytes, with space for them where the file system can promise it.
  status allocate(std::uint64_t size);
  /// Cuts off what lies behind `size`.
  status cut(std::uint64_t size);
  status sync();
  /// Holds the whole file's lock until it is closed. False: somebody else has it.
  bool lock();

 private:
  status failure(const char* what, int error) const;

  std::string path_;
  descriptor file_;
  int error_ = 0;
};

/// "DIR: cannot be synced: ..." as a failure of kind io.
status file_failure(const std::string& path, const char* what, int error);
status sync_directory(const std::string& path);
/// A directory that did not exist.
status make_new_directory(const std::string& path);
/// True where there is nothing or an empty directory.
bool is_free(const std::string& path);
status remove_file(const std::string& path);
status rename_file(const std::string& from, const std::string& to);
/// A new file with these bytes, synced.
status write_file_synced(const std::string& path, bytes_view bytes);
/// A new file `to` with the bytes of `from`, synced.
status copy_file_synced(const std::string& from, const std::string& to);
/// The directory that holds `path`.
std::string parent_of(const std::string& path);

}  // namespace holdfast
