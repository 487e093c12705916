// group_commit: makes what the journal asked of its files, in the order it asked: writes that
// continue one another become one call, and syncs of a file with only writes between them become
// the last of them.
//
// Contract: one thread at a time. What was written before a sync is published to the result queue
// before the sync begins: who waits for `written` need not wait for it. Pieces of a write are
// dropped once it was made. A failed sync is not repeated.
#pragma once

#include <span>
#include <vector>

#include "journal/io_queues.hpp"
#include "journal/open_files.hpp"

namespace holdfast {

class group_commit {
 public:
  group_commit(open_files& files, result_queue& results) : files_(files), results_(results) {}

  /// Everything but loads. What was not published yet is added to `done`.
  void run(std::span<io_op> ops, std::vector<io_result>& done);

 private:
  std::size_t write_run(std::span<io_op> ops, std::vector<io_result>& done);
  void sync_merged(const io_op& op, std::vector<io_result>& merged, std::vector<io_result>& done);
  int sync(file_id file);
  io_result change_directory(const io_op& op);
  int carry_out(const io_op& op);
  int create(const io_op& op);
  int sync_directory(const std::string& name);

  open_files& files_;
  result_queue& results_;
};

}  // namespace holdfast
