#include "journal/file_loader.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "journal/io_failure.hpp"
#include "journal/positional_io.hpp"

namespace holdfast {

io_result file_loader::load(const io_op& op) {
  io_result done{op.what, op.file, op.tag, 0, {}};
  if (zero_copy_) done.bytes = slice_of_map(op);
  if (done.bytes) return done;
  const int error = files_.get(op.file) ? 0 : files_.error(op.file);
  if (want_of_descriptors(error)) {
    done.error = error;
    done.text = io_failure(files_, op, error);
    return done;
  }
  copy(op, done);
  return done;
}

bool file_loader::read(file_id id, std::uint64_t at, std::span<std::byte> into) {
  const open_files::handle file = files_.get(id);
  return file && read_at(file->get(), at, into);
}

// Null where a copy may still have what is asked for.
buffer_ref file_loader::slice_of_map(const io_op& op) {
  const result<buffer_ref> map = files_.map(op.file);
  if (!map || op.at + op.size > map->size() || !bring_in(op, *map)) return {};
  return map->slice(op.at, op.size);
}

// Brings the pages in and into the map.
bool file_loader::bring_in(const io_op& op, const buffer_ref& map) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t from = op.at / page * page;
  const std::size_t size = op.at + op.size - from;
#ifdef MADV_POPULATE_READ
  auto* address = const_cast<std::byte*>(map.data()) + from;
  if (::madvise(address, size, MADV_POPULATE_READ) == 0) return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
#endif
  // Before Linux 5.14: read through the descriptor, which fills the page cache and can fail.
  std::vector<std::byte> scratch(256 << 10);
  for (std::uint64_t at = from; at < from + size; at += scratch.size()) {
    const std::size_t part = std::min<std::uint64_t>(scratch.size(), from + size - at);
    if (!read(op.file, at, {scratch.data(), part})) return false;
  }
  return true;
}

void file_loader::copy(const io_op& op, io_result& done) {
  auto* made = new slab(op.size);
  made->set_size(op.size);
  done.bytes = buffer_ref(made);
  const std::span<std::byte> into(made->data(), op.size);
  if (read(op.file, op.at, into)) return;
  if (!read_what_can_be(op, into)) done.error = EIO;
  done.text = io_failure(files_, op, EIO);
}

// A sector that cannot be read costs what lies on its page, not all that was asked for.
bool file_loader::read_what_can_be(const io_op& op, std::span<std::byte> into) {
  constexpr std::uint64_t page = 4096;
  bool some = false;
  for (std::uint64_t at = op.at; at < op.at + op.size;) {
    const std::uint64_t end = std::min((at / page + 1) * page, op.at + op.size);
    const std::span<std::byte> part = into.subspan(at - op.at, end - at);
    std::fill(part.begin(), part.end(), std::byte{0});
    const open_files::handle file = files_.get(op.file);
    // The last page of a file cut short is read up to its end.
    some |= file && ::pread(file->get(), part.data(), part.size(), static_cast<off_t>(at)) > 0;
    at = end;
  }
  return some;
}

}  // namespace holdfast
