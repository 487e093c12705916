// core: what the rooms of one open journal share. Each room is a class with its own file; this is
// the table they stand around. Internal to journal/.
//
// Contract: one thread. Every operation given to the storage carries a tag made here, so that its
// result finds the room that asked.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "base/storage.hpp"
#include "journal/block_index.hpp"
#include "journal/format.hpp"
#include "journal/journal.hpp"
#include "journal/options.hpp"
#include "journal/segment_table.hpp"
#include "journal/tail_cache.hpp"

namespace holdfast {

/// Who asked for an operation.
enum class asker : std::uint8_t { log = 1, spare, checkpoint, load, removal, recovery, index };

constexpr std::uint64_t make_tag(asker who, std::uint64_t number) noexcept {
  return (static_cast<std::uint64_t>(who) << 56) | number;
}
constexpr asker asker_of(std::uint64_t tag) noexcept {
  return static_cast<asker>(tag >> 56);
}
constexpr std::uint64_t number_of(std::uint64_t tag) noexcept {
  return tag & ((std::uint64_t{1} << 56) - 1);
}

inline io_op make_op(io_op::kind what, file_id file, std::uint64_t tag) {
  io_op op;
  op.what = what;
  op.file = file;
  op.tag = tag;
  return op;
}
inline io_op make_sync_dir(std::string directory, std::uint64_t tag) {
  io_op op = make_op(io_op::kind::sync_dir, 0, tag);
  op.to = std::move(directory);
  return op;
}
inline io_op make_remove(std::string name, std::uint64_t tag) {
  io_op op = make_op(io_op::kind::remove, 0, tag);
  op.name = std::move(name);
  return op;
}
inline io_op make_write(file_id file, std::uint64_t at, buffer_ref piece, std::uint64_t tag) {
  io_op op = make_op(io_op::kind::write, file, tag);
  op.at = at;
  op.pieces.push_back(std::move(piece));
  return op;
}

inline buffer_ref bytes_of(const segment_header& header) {
  return copy_to_buffer(encode_segment_header(header));
}

struct core {
  core(std::unique_ptr<storage> on, journal_options with)
      : files(std::move(on)),
        options(std::move(with)),
        index([this](std::uint64_t position, int rows, std::int64_t bytes) {
          live_changed(position, rows, bytes);
        }) {}

  void live_changed(std::uint64_t position, int rows, std::int64_t bytes) {
    segment* of = segments.find(position);
    if (!of) return;
    of->live_bytes += static_cast<std::uint64_t>(bytes);
    live_shrank = live_shrank || bytes < 0;
    of->live_rows += static_cast<std::uint32_t>(rows);
    if (rows == 0 || of->live_rows != 0) return;
    of->freed_at = next_position;
    sweep_wanted = true;
  }
  /// The file of a slot goes; so does its index.
  void remove_segment_file(std::uint32_t slot, std::uint64_t size);
  void remove_index_file(std::uint32_t slot);
  void submit(io_op op) { files->submit({&op, 1}); }
  /// What an operation is about, for errors: a file or a directory.
  std::string name_of(const io_op& op) const {
    if (op.what == io_op::kind::sync_dir) return "the directory " + op.to;
    return op.name.empty() ? name_of(op.file) : op.name;
  }
  std::string name_of(file_id file) const {
    for (const auto& s : segments.all())
      if (s->file == file) return segment_name(s->header.slot);
    return "a new segment in seg";
  }

  std::unique_ptr<storage> files;
  journal_options options;
  bytes16_id id{};
  std::uint64_t epoch = 0;
  std::uint32_t next_slot = 0;
  segment_table segments;
  block_index index;
  tail_cache tail;
  instant now;
  std::uint64_t turn = 0;
  /// Who waits for something asks in every turn: this one has gone.
  bool gave_up(std::uint64_t asked_in) const noexcept { return turn - asked_in > 4; }
  std::uint64_t next_position = 0;                     ///< of the next record
  std::uint64_t synced_position = 0;                   ///< records below are durable
  std::uint64_t disk_used = 0;                         ///< bytes of all files
  std::map<std::uint32_t, std::uint64_t> index_files;  ///< by slot: bytes
  std::uint64_t checkpoint_reserve = 0;  ///< bytes kept free for checkpoints still to be made
  std::uint64_t older_checkpoint =
      0;  ///< position of the older of the two kept; 0 = fewer than two
  bool sweep_wanted = false;
  bool live_shrank = false;  ///< since the last look for segments with little in them
  bool failed = false;
  status failure;
  journal_stats stats;

  segment* active = nullptr;
};

}  // namespace holdfast
