// journal_state: the rooms of one open journal, and how they take their turn. Internal to journal/.
//
// Contract: one thread. A turn takes in what the storage finished, then lets each room ask for what
// it needs now; it never waits.
#pragma once

#include <memory>
#include <vector>

#include "journal/backlog_reader.hpp"
#include "journal/checkpoint_writer.hpp"
#include "journal/core.hpp"
#include "journal/log_writer.hpp"
#include "journal/relocator.hpp"
#include "journal/retention.hpp"
#include "journal/segment_indexer.hpp"
#include "journal/spare_pool.hpp"
#include "journal/troubles.hpp"

namespace holdfast {

class recovery;

struct journal::state {
  state(std::unique_ptr<storage> files, journal_options options);
  ~state();

  marks turn();
  /// Replay has ended: from here on records are appended.
  void go_live();

  core shared;
  spare_pool spares;
  log_writer writer;
  checkpoint_writer checkpoints;
  loaded_windows windows;
  backlog_reader backlog;
  retention keeper;
  relocator mover;
  segment_indexer indexer;
  troubles said;
  std::unique_ptr<recovery> opening;  ///< until go_live()
  bool live = false;

 private:
  void take_in(const io_result& done);
  bool is_told(const io_result& done) const noexcept;
  bool is_given_up(const io_result& done) const noexcept;
  void pass_on(const io_result& done);
  void adopt_or_remove_unused();
  void mark_emptied();

  std::vector<io_result> results_;
  std::uint32_t rewrites_seen_ = 0;
};

}  // namespace holdfast
