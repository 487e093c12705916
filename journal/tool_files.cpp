#include "journal/tool_files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <vector>

#include "journal/lock_file.hpp"
#include "journal/positional_io.hpp"

namespace holdfast {
namespace {

int flags_of(tool_file::how way) {
  switch (way) {
    case tool_file::how::read: return O_RDONLY | O_CLOEXEC;
    case tool_file::how::change: return O_RDWR | O_CLOEXEC;
    case tool_file::how::create: break;
  }
  return O_RDWR | O_CREAT | O_CLOEXEC;
}

}  // namespace

status file_failure(const std::string& path, const char* what, int error) {
  const char* next = error == ENOSPC || error == EDQUOT
                         ? "; make room on that file system and start again"
                         : "; see to the file system and start again";
  return {errc::io, path + ": " + what + ": " + std::generic_category().message(error) + next};
}

tool_file::tool_file(std::string path, how way)
    : path_(std::move(path)), file_(::open(path_.c_str(), flags_of(way), 0644)), error_(errno) {}

status tool_file::failure(const char* what, int error) const {
  return file_failure(path_, what, error);
}

status tool_file::opened() const {
  if (is_open()) return {};
  if (error_ == ENOENT) return {errc::not_found, path_ + ": there is no such file"};
  return failure("cannot be opened", error_);
}

std::uint64_t tool_file::size() const {
  struct stat figures {};
  if (::fstat(file_.get(), &figures) != 0) return 0;
  return static_cast<std::uint64_t>(figures.st_size);
}

bool tool_file::read(std::uint64_t at, std::span<std::byte> into) const {
  return read_at(file_.get(), at, into);
}

status tool_file::write(std::uint64_t at, bytes_view bytes) {
  if (bytes.empty()) return {};
  iovec all{const_cast<std::byte*>(bytes.data()), bytes.size()};
  const int error = write_at(file_.get(), at, {&all, 1});
  return error == 0 ? status{} : failure("cannot be written", error);
}

status tool_file::allocate(std::uint64_t size) {
  const auto wanted = static_cast<off_t>(size);
  while (::fallocate(file_.get(), 0, 0, wanted) != 0) {
    if (errno == EINTR) continue;
    if (errno != EOPNOTSUPP && errno != ENOSYS) return failure("cannot be made", errno);
    if (::ftruncate(file_.get(), wanted) != 0) return failure("cannot be made", errno);
    break;
  }
  return {};
}

status tool_file::cut(std::uint64_t size) {
  if (::ftruncate(file_.get(), static_cast<off_t>(size)) == 0) return {};
  return failure("cannot be shortened", errno);
}

status tool_file::sync() {
  if (::fsync(file_.get()) == 0) return {};
  return failure("cannot be synced", errno);
}

bool tool_file::lock() {
  return lock_whole_file(file_);
}

status sync_directory(const std::string& path) {
  const descriptor directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() >= 0 && ::fsync(directory.get()) == 0) return {};
  return file_failure(path, "cannot be synced", errno);
}

status make_new_directory(const std::string& path) {
  if (::mkdir(path.c_str(), 0755) == 0) return {};
  return file_failure(path, "cannot be made", errno);
}

bool is_free(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return !error;
  return std::filesystem::is_directory(path, error) && std::filesystem::is_empty(path, error) &&
         !error;
}

status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) == 0 || errno == ENOENT) return {};
  return file_failure(path, "cannot be removed", errno);
}

status rename_file(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) == 0) return {};
  return file_failure(from, ("cannot be renamed to " + to).c_str(), errno);
}

status write_file_synced(const std::string& path, bytes_view bytes) {
  tool_file file(path, tool_file::how::create);
  if (!file.is_open()) return file.opened();
  if (status put = file.write(0, bytes); !put) return put;
  return file.sync();
}

status copy_file_synced(const std::string& from, const std::string& to) {
  const tool_file in(from, tool_file::how::read);
  tool_file out(to, tool_file::how::create);
  if (!in.is_open()) return in.opened();
  if (!out.is_open()) return out.opened();
  std::vector<std::byte> piece(1 << 20);
  const std::uint64_t size = in.size();
  for (std::uint64_t at = 0; at < size; at += piece.size()) {
    const std::span<std::byte> part(piece.data(), std::min<std::uint64_t>(piece.size(), size - at));
    if (!in.read(at, part)) return file_failure(from, "cannot be read", EIO);
    if (status put = out.write(at, part); !put) return put;
  }
  return out.sync();
}

std::string parent_of(const std::string& path) {
  const std::string parent = std::filesystem::absolute(path).parent_path().string();
  return parent.empty() ? "/" : parent;
}

}  // namespace holdfast
