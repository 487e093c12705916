// What a journal may be told when it is opened, and what opening found.
//
// Contract: plain values. Sizes are bytes, times are nanoseconds unless the name says otherwise.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/record.hpp"

namespace holdfast {

using bytes16_id = std::array<std::byte, 16>;

struct journal_options {
  std::uint64_t segment_bytes = 64ull << 20;  ///< 16 KiB-1 GiB, a multiple of 4096
  std::uint64_t disk_limit = 0;               ///< all files together; 0 = the file system's size
  std::uint64_t memory_budget = 64ull << 20;  ///< bytes appended and not yet synced
  std::uint64_t tail_bytes = 16ull << 20;     ///< synced bytes kept in memory for live delivery
  std::uint64_t record_bytes_max = (1ull << 30) + 65536;  ///< body of the largest record
  std::uint64_t sync_bytes = 16ull << 20;        ///< sync at the latest after so many, at any level
  std::uint64_t checkpoint_bytes = 64ull << 20;  ///< a checkpoint is due after so many
  std::uint64_t checkpoint_ns = 10 * second_ns;  ///< or after so long, if anything was appended
  std::uint32_t interval_ms = 50;                ///< records of level interval are synced so often
  std::uint64_t process_sync_ns = second_ns;     ///< records of level process are synced so often
  std::uint64_t idle_watermark_ns = ms_ns;       ///< idle so long after a sync: watermark record
  std::uint32_t reserve_segments = 2;            ///< kept for control records when the disk is full
  /// Segments open or mapped beside those that are written; others are opened when they are read.
  /// Never more than a quarter of the descriptors the process may have.
  std::uint32_t read_files_max = 256;
  /// What is read back is sent from maps of the files. Off: it is copied (a map of a file that
  /// somebody truncates meanwhile ends the process inside libzmq).
  bool zero_copy = true;
  /// The bytes of `count` messages behind the first `skip` of a block's body: so that relocation
  /// can leave finished ones behind. Without it blocks move whole.
  std::function<bytes_view(bytes_view body, std::uint32_t skip, std::uint32_t count)> cut_block;
  bytes16_id boot_id{};    ///< of this boot of the machine (system_boot_id())
  std::uint64_t seed = 0;  ///< makes the id of a new journal (system_seed())
  std::function<instant()> clock = system_now;
};

/// What a bad stretch of the journal was.
enum class damage_kind : std::uint8_t {
  body,     ///< the header is good: exactly one record, `stream` and `messages` are known
  header,   ///< records of an unknown stream; the next block of a stream shows what it misses
  segment,  ///< a whole segment cannot be found or read
};
struct damage {
  damage_kind what{};
  std::uint64_t position = 0;
  std::uint64_t size = 0;
  stream_id stream = no_stream;
  range messages;
};

/// Messages beyond the cut whose records were readable: their accept may have left before the
/// crash.
struct possibly_accepted {
  stream_id stream = no_stream;
  range messages;
  std::uint64_t position = 0;
};

struct open_report {
  bool created = false;     ///< there was no journal
  bool clean = false;       ///< the newest checkpoint's position equals the tail: nothing to replay
  bool other_boot = false;  ///< the machine was started again since the last message was numbered:
                            ///< what was accepted below level disk may be missing behind it
  bool torn = false;        ///< bytes behind the tail were cut
  bool checkpoint_damaged = false;  ///< the newest checkpoint was unreadable, an older one is used
  bytes16_id id{};                  ///< of the journal, drawn when it was created
  std::uint64_t epoch = 0;          ///< of this run
  std::uint64_t checkpoint = 0;     ///< position replay starts at
  std::uint64_t tail = 0;           ///< position where the recovered log ends
  std::uint64_t watermark = 0;      ///< everything below was proven durable
  std::uint64_t records = 0;        ///< found from `checkpoint` to `tail`
  std::uint64_t cut_bytes = 0;      ///< from the tail to the last readable record behind it
  std::vector<damage> damaged;      ///< bit rot, quarantined; sorted by position
  std::vector<possibly_accepted> possibly;  ///< at most 1024 rows
  std::vector<std::string> notes;           ///< sentences for the log of the device
};

}  // namespace holdfast
