// file_loader: brings ranges of files into memory: as slices of read-only maps of whole files,
// whose pages are read in before anybody touches them, or as copies.
//
// Contract: blocking; any thread. What an io_result says of a load: base/storage.hpp. An error of
// the disk comes back as an error, never as a signal.
#pragma once

#include <span>

#include "journal/open_files.hpp"

namespace holdfast {

class file_loader {
 public:
  /// `zero_copy`: maps; else copies alone.
  file_loader(open_files& files, bool zero_copy) : files_(files), zero_copy_(zero_copy) {}

  io_result load(const io_op& op);
  /// False if not all of `into` could be read.
  bool read(file_id file, std::uint64_t at, std::span<std::byte> into);

 private:
  buffer_ref slice_of_map(const io_op& op);
  bool bring_in(const io_op& op, const buffer_ref& map);
  void copy(const io_op& op, io_result& done);
  bool read_what_can_be(const io_op& op, std::span<std::byte> into);

  open_files& files_;
  const bool zero_copy_;
};

}  // namespace holdfast
