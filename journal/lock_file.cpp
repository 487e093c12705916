#include "journal/lock_file.hpp"

#include <fcntl.h>

namespace holdfast {
namespace {

struct flock whole_file() noexcept {
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return whole;
}

}  // namespace

bool lock_whole_file(const descriptor& file) noexcept {
  struct flock whole = whole_file();
  return ::fcntl(file.get(), F_OFD_SETLK, &whole) == 0;
}

bool journal_in_use(const std::string& directory) {
  const std::string name = directory + "/" + lock_file_name;
  const descriptor file(::open(name.c_str(), O_RDONLY | O_CLOEXEC));
  struct flock whole = whole_file();
  return file.get() >= 0 && ::fcntl(file.get(), F_OFD_GETLK, &whole) == 0 &&
         whole.l_type != F_UNLCK;
}

}  // namespace holdfast
