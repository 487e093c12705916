#include "journal/io_failure.hpp"

#include <system_error>

namespace holdfast {

std::string system_text(int error) {
  return std::generic_category().message(error);
}

std::string io_failure(const open_files& files, const io_op& op, int error) {
  const std::string file = files.path(files.name(op.file)) + ": ";
  const std::string at = std::to_string(op.size) + " bytes at offset " + std::to_string(op.at);
  const std::string why = ": " + system_text(error);
  switch (op.what) {
    case io_op::kind::write: return file + at + " cannot be written" + why;
    case io_op::kind::sync: return file + "cannot be flushed to the disk" + why;
    case io_op::kind::create: return file + std::to_string(op.size) + " bytes cannot be made" + why;
    case io_op::kind::rename: return files.path(op.name) + ": cannot be named " + op.to + why;
    case io_op::kind::remove: return files.path(op.name) + ": cannot be removed" + why;
    case io_op::kind::sync_dir: return files.path(op.to) + ": cannot be flushed to the disk" + why;
    case io_op::kind::load: break;
  }
  return file + at + " cannot be read" + why;
}

}  // namespace holdfast
