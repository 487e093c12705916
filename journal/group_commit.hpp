// group_commit: makes what the journal asked of its files, in the order it asked: writes that
// continue one another become one call, and syncs of a file with only writes between them become
// the last of them.
//
// Contract: one thread at a time. Pieces of a write are dropped once it was made. A failed sync is
// not repeated.
#pragma once

#include <span>
#include <vector>

#include "journal/fresh_files.hpp"
#include "journal/io_queues.hpp"
#include "journal/open_files.hpp"
#include "journal/sync_pace.hpp"

namespace holdfast {

/// Of a write.
std::uint64_t bytes_in(const io_op& op) noexcept;

class group_commit {
 public:
  explicit group_commit(open_files& files) : files_(files) {}

  /// Everything but loads. With `early`, what was written before a sync is published there before
  /// the sync begins: who waits for `written` need not wait for it. The rest is added to `done`.
  void run(std::span<io_op> ops, std::vector<io_result>& done, result_queue* early = nullptr);
  /// These, nothing but writes and syncs, may be expected to take less than a millisecond.
  bool are_quick(std::span<const io_op> ops) const;

 private:
  std::size_t write_run(std::span<io_op> ops, std::vector<io_result>& done);
  void sync_merged(const io_op& op, std::vector<io_result>& merged, std::vector<io_result>& done,
                   result_queue* early);
  int sync(file_id file);
  void write_ahead(file_id id, int file);
  io_result change_directory(const io_op& op);
  int carry_out(const io_op& op);
  int create(const io_op& op);
  int sync_directory(const std::string& name);

  open_files& files_;
  sync_pace pace_;
  fresh_files fresh_;
};

}  // namespace holdfast
