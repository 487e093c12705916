// file_storage: the production storage. One commit thread runs writes, syncs, creates, renames and
// removes in the order submitted; while it is at rest, a few small writes are made by the caller,
// and a few small syncs as well if the disk is quick and the caller would sleep (docs/adr/0005,
// 0016). Reader threads bring cold ranges into memory (load).
//
// Contract: base/storage.hpp. One open file_storage a directory: it holds a lock on DIR/LOCK.
// Results of writes are published before a sync that follows them begins, so a merged sync may
// report after writes submitted behind it. Threads: submit and poll from one thread; buffers are
// dropped on the commit thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/storage.hpp"

namespace holdfast {

struct file_storage_options {
  std::uint32_t reader_threads = 1;
  bool create_directory = true;
  bool zero_copy = true;  ///< loads give slices of maps, not copies; see journal_options
  std::uint32_t read_files_max = 256;  ///< see journal_options
};

/// Opens (and makes) `directory`, and locks it. errc::in_use names the path if another process has
/// it.
result<std::unique_ptr<storage>> open_file_storage(const std::string& directory,
                                                   file_storage_options options = {});

}  // namespace holdfast
