// journal: the log on disk. Records go into preallocated segments from the buffers they came in;
// marks tell how durable they are; blocks are read back from memory or from maps; space returns
// when nothing in a segment is live.
//
// Life: open_journal() -> checkpoint_rows() -> replay() -> live (every call of `log`) -> close().
// After replay everything recovered counts as live down to each stream's floor: whoever restores
// cursors calls settle/trim again for what is finished (a range below the floor is ignored; above
// it each message is settled at most once in the life of the object).
//
// Contract: one thread makes all calls; nothing waits for the disk but open, replay, flush and
// close. Failures: marks::failure once nothing can be written any more; reading goes on. Positions
// are byte addresses, monotonic for ever. On disk: docs/journal_format.md.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/storage.hpp"
#include "journal/options.hpp"

namespace holdfast {

/// Figures for status and tests. Gauges unless said otherwise; bytes.
struct journal_stats {
  std::uint64_t epoch = 0;
  std::uint64_t segments = 0;  ///< with records in them, the active one included
  std::uint64_t spare_segments = 0;
  std::uint64_t disk_bytes = 0;  ///< all files of the journal
  std::uint64_t unsynced_bytes = 0;
  std::uint64_t tail_bytes = 0;   ///< held in memory for live delivery, unsynced included
  std::uint64_t index_rows = 0;   ///< one per segment and stream
  std::uint64_t records = 0;      ///< counter: appended since open, the journal's own included
  std::uint64_t checkpoints = 0;  ///< counter
  std::uint64_t syncs = 0;        ///< counter: sync operations asked for
  std::uint64_t loads = 0;        ///< counter: windows read from disk
  std::uint64_t recycled = 0;     ///< counter: segment files used again
  std::uint64_t relocated = 0;    ///< counter: records moved out of segments with little in them
  std::uint64_t live_bytes = 0;   ///< of records with live messages, by the share that is live
  std::uint64_t rewritten = 0;    ///< counter: records rewritten after a failed write or sync
  std::uint64_t corrupt = 0;      ///< counter: records found damaged while reading
  bool held = false;              ///< records wait for a file that cannot be made: nothing new is
                                  ///< durable until it can
  bool full = false;              ///< the disk or the limit is full: message room is 0
};

class journal final : public log {
 public:
  ~journal() override;
  journal(const journal&) = delete;
  journal& operator=(const journal&) = delete;

  // ---- before going live -----------------------------------------------------------------------
  /// Rows of the checkpoint, as they were given to add_checkpoint_rows; valid until replay().
  bytes_view checkpoint_rows() const noexcept;
  /// Hands over every record from the checkpoint to the tail, in order, in batches; views are valid
  /// during the call. The journal's own records (types below 16) are left out. Then the journal is
  /// live.
  status replay(const std::function<void(std::span<const record_view>)>& take);

  // ---- log -------------------------------------------------------------------------------------
  room available() const noexcept override;
  ticket append(std::span<append_item> items) noexcept override;
  marks progress() noexcept override;
  fetched read(stream_id stream, std::uint64_t from, read_limits limits,
               std::vector<block>& out) override;
  void settle(stream_id stream, std::span<const range> ranges) override;
  void trim(stream_id stream, std::uint64_t to) override;
  std::uint64_t next_position() const noexcept override;
  std::uint64_t next_deadline() const noexcept override;
  int wake_fd() const noexcept override;
  void before_sleep() noexcept override;

  // ---- checkpoints -----------------------------------------------------------------------------
  /// Worth starting one now: enough was appended, or time has passed, or space waits for it.
  bool checkpoint_due() const noexcept;
  /// Starts one as of next_position(); false while another is under way or the journal has failed.
  bool begin_checkpoint();
  /// Adds rows, as many calls and turns as wanted. Records appended meanwhile are replayed on top.
  void add_checkpoint_rows(bytes_view rows);
  /// Ends it; it takes effect in some later progress(), after the log is durable to its position.
  void finish_checkpoint();
  /// Between begin and the moment it took effect (or failed: then the former ones stay in force).
  bool checkpoint_running() const noexcept;

  // ---- orderly stop ----------------------------------------------------------------------------
  /// Waits until everything appended is synced and a finished checkpoint took effect.
  status flush();
  /// flush(), then lets the storage go. Destroying without it is like a crash of the process.
  status close();

  journal_stats stats() const;
  /// What failed since the last call, in sentences for the log: which file, where, why, and what is
  /// safe.
  std::vector<std::string> take_troubles();

 private:
  friend result<std::unique_ptr<journal>> open_journal(std::unique_ptr<storage>, journal_options,
                                                       open_report&);
  struct state;
  explicit journal(std::unique_ptr<state> parts);
  std::unique_ptr<state> state_;
};

/// Opens what is in the storage's directory, or creates it. Never deletes or overwrites anything it
/// could not read. `report` is filled in every case.
result<std::unique_ptr<journal>> open_journal(std::unique_ptr<storage> files,
                                              journal_options options, open_report& report);

}  // namespace holdfast
