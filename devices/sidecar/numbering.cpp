#include "devices/sidecar/numbering.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

namespace holdfast {
namespace {

constexpr const char* file_name = "/far.numbering";

status failed(const std::string& what, const std::string& path) {
  return {errc::io, "cannot " + what + " " + path + ": " + std::strerror(errno)};
}

status sync_path(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), flags | O_CLOEXEC);
  if (fd < 0) return failed("open", path);
  const bool synced = ::fsync(fd) == 0;
  status outcome = synced ? status{} : failed("sync", path);
  ::close(fd);
  return outcome;
}

}  // namespace

std::string numbering::producer_of(const std::string& journal_id) const {
  const std::string first = "sidecar:" + journal_id;
  return generation == 1 ? first : first + ":" + std::to_string(generation);
}

result<numbering> load_numbering(const std::string& directory, std::uint64_t base) {
  const std::string path = directory + file_name;
  if (::access(path.c_str(), F_OK) != 0) return numbering{1, base};
  std::ifstream file(path);
  std::string word;
  numbering made;
  if (file >> word >> made.generation >> made.base && word == "holdfast-numbering-1" &&
      made.generation > 0)
    return made;
  return {errc::corrupt, "the file " + path +
                             " cannot be read; restore it from a copy, or move the directory aside "
                             "to begin anew"};
}

status store_numbering(const std::string& directory, const numbering& what) {
  const std::string path = directory + file_name, next = path + ".new";
  {
    std::ofstream file(next, std::ios::trunc);
    file << "holdfast-numbering-1 " << what.generation << ' ' << what.base << '\n';
    file.flush();
    if (!file.good()) return failed("write", next);
  }
  if (status synced = sync_path(next, O_WRONLY); !synced) return synced;
  if (std::rename(next.c_str(), path.c_str()) != 0) return failed("rename", next);
  return sync_path(directory, O_RDONLY | O_DIRECTORY);
}

}  // namespace holdfast
