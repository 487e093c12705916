// recovery: opens what a former run left. Newest readable checkpoint, then a walk over the records
// behind it. The highest watermark seen decides what a bad record means: below it the data was
// durable, so it is bit rot, kept out and reported; at or above it the log was torn there and ends.
//
// Contract: blocking, before the journal is live. Nothing is overwritten or removed before the new
// epoch's segment is durable, so a crash at any moment leaves what was there. What cannot be read
// is never deleted.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "journal/checkpoint_search.hpp"
#include "journal/checkpoint_writer.hpp"
#include "journal/record_walker.hpp"

namespace holdfast {

class recovery {
 public:
  recovery(core& shared, checkpoint_writer& checkpoints, open_report& report)
      : core_(shared), checkpoints_(checkpoints), report_(report) {}

  /// Up to a durable header of the new epoch's first segment (core.active).
  status open();
  using take_records = std::function<void(std::span<const record_view>)>;
  status replay(const take_records& take);
  bytes_view pattern_rows() const noexcept { return checkpoint_.pattern_rows; }
  /// What the first record of the new epoch says.
  gap_body cut() const noexcept;
  /// Files that hold nothing of the log.
  struct unused_file {
    std::string name;
    std::uint64_t size = 0;
    bool reused = false;  ///< holds bytes of a former use
    bool begun = false;   ///< namely records, and no header was ever written to it
  };
  const std::vector<unused_file>& unused() const noexcept { return unused_; }
  /// Slots of index files whose segment is gone.
  const std::vector<std::uint32_t>& left_alone() const noexcept { return left_alone_; }

 private:
  struct found_segment {
    segment_header header;
    std::string name;
    std::uint64_t listed_end = 0;  // by the checkpoint; 0 = not listed
    std::uint64_t end = 0;         // by its successor's header; 0 = unknown
    bool present = false;
    bool in_log = false;
  };
  struct bad_stretch {
    std::uint64_t from = 0;
    std::uint64_t to = 0;
    std::uint64_t batch = 0;  // first record of the batch that was open there; 0 = none
    std::optional<record_head> head;
    bool missing = false;   // a whole segment
    bool open_end = false;  // up to the end of a segment whose successor is lost
  };

  status find_checkpoints();
  status find_segments();
  status look_at_file(const file_info& file);
  status list_from_checkpoint();
  void build_chain();
  status check_whole() const;
  status fill_table();
  void scan();
  void scan_segment(const segment& in, bool last);
  void judge();
  void report_damage(const bad_stretch& bad, std::uint64_t to);
  const bytes16_id& boot_of_numbers(std::uint64_t cut) const;
  void look_behind(std::uint64_t cut);
  void note_losses();
  void cut_at(std::uint64_t cut);
  status make_durable();
  status write_again(const segment& in);
  void keep(const std::string& name);
  void note_unused();
  void make_room();
  spare first_file(std::vector<io_op>& ops);
  status begin_epoch();
  status run(std::vector<io_op> ops);
  void index_block(const walked& found, const segment& in, bool relocated);
  record_walker walk(const segment& in, std::uint64_t from, std::uint64_t to);

  core& core_;
  checkpoint_writer& checkpoints_;
  open_report& report_;
  checkpoint_content checkpoint_;
  bool have_checkpoint_ = false;
  std::map<std::uint64_t, found_segment> found_;  // by base
  std::vector<segment*> chain_;                   // that may hold records to replay, in order
  std::vector<bad_stretch> bad_;
  std::map<std::uint64_t, std::uint64_t> first_blocks_;  // by base: where the first one lies
  std::vector<unused_file> unused_;
  std::vector<std::uint32_t> left_alone_;
  std::set<std::string> claimed_;  // files in seg/ with a header that can be read
  std::uint64_t watermark_ = 0;
  std::uint64_t open_batch_ = 0;
  std::uint64_t user_records_ = 0;
  std::uint64_t last_readable_ = 0;
  std::uint64_t epoch_seen_ = 0;
  bool unreadable_files_ = false;
};

}  // namespace holdfast
