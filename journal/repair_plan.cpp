// The looking half of repair: what is wrong, and what can be made good from what.
#include <algorithm>
#include <array>
#include <filesystem>

#include "journal/checkpoint_file.hpp"
#include "journal/lock_file.hpp"
#include "journal/reader.hpp"
#include "journal/repair.hpp"
#include "journal/segment_copy.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t header_copies[] = {0, segment_header_copy_at};

class planner {
 public:
  planner(const std::string& directory, const journal_reader& reader)
      : directory_(directory), info_(reader.info()) {}

  void read_list();
  void plan_segments();
  void plan_checkpoints();
  repair_plan take() { return std::move(plan_); }

 private:
  void plan_headers(const std::string& name);
  void plan_unreadable(const std::string& name, const tool_file& file, bool stale_copy);
  bool begins_with_record(const tool_file& file, const segment_header& as) const;
  const segment_info* in_log(const std::string& name) const;
  void rewrite(const std::string& name, std::uint64_t at, const segment_header& header,
               const char* why);

  std::string directory_;
  const journal_info& info_;
  std::vector<listed_segment> listed_;
  repair_plan plan_;
};

// The newest checkpoint's list of segments.
void planner::read_list() {
  const checkpoint_info* newest = info_.newest_checkpoint();
  if (newest == nullptr) return;
  const tool_file file(directory_ + "/" + newest->name, tool_file::how::read);
  std::vector<std::byte> bytes(file.is_open() ? file.size() : 0);
  if (!file.is_open() || !file.read(0, bytes)) return;
  if (auto parsed = parse_checkpoint(bytes, newest->name); parsed.ok())
    listed_ = std::move(parsed->segments);
}

const segment_info* planner::in_log(const std::string& name) const {
  for (const segment_info& s : info_.segments)
    if (s.name == name && s.in_log) return &s;
  return nullptr;
}

void planner::rewrite(const std::string& name, std::uint64_t at, const segment_header& header,
                      const char* why) {
  const auto bytes = encode_segment_header(header);
  plan_.steps.push_back({repair_step::kind::rewrite, name, at, {bytes.begin(), bytes.end()}, why});
}

// Proof that a header belongs to what is in the file now: a file that was used again holds records
// of its former use, but not at the front.
bool planner::begins_with_record(const tool_file& file, const segment_header& as) const {
  std::array<std::byte, record_header_bytes> head{};
  if (!file.read(records_at, head)) return false;
  const std::uint64_t key = segment_key(as.journal_id, as.epoch);
  return all_zero(head) || decode_record_header(head, key, as.base + records_at).has_value();
}

void planner::plan_segments() {
  std::error_code error;
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory_ + "/seg", error))
    names.push_back("seg/" + entry.path().filename().string());
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    if (segment_slot(name) >= 0) plan_headers(name);
}

// A second copy that is whole but another, or not there yet, is no damage: it is written after the
// first.
void planner::plan_headers(const std::string& name) {
  const tool_file file(directory_ + "/" + name, tool_file::how::read);
  if (!file.is_open()) return;
  std::array<std::byte, segment_header_bytes> bytes[2]{};
  std::optional<segment_header> copies[2];
  for (int i : {0, 1})
    if (file.read(header_copies[i], bytes[i])) copies[i] = decode_segment_header(bytes[i]);
  const segment_info* used = in_log(name);
  const bool has_successor = used != nullptr && used->end != 0;
  if (!copies[0] && !(copies[1] && (has_successor || begins_with_record(file, *copies[1]))))
    return plan_unreadable(name, file, copies[1].has_value());
  if (used == nullptr) return;
  if (!copies[0])
    rewrite(name, 0, *copies[1], "the first copy of the header is damaged; the second is good");
  else if (!copies[1] && !all_zero(bytes[1]))
    rewrite(name, segment_header_copy_at, *copies[0],
            "the second copy of the header is damaged; the first is good");
}

// `stale_copy`: the second copy of its header is whole, but of a former use.
void planner::plan_unreadable(const std::string& name, const tool_file& file, bool stale_copy) {
  const auto slot = static_cast<std::uint32_t>(segment_slot(name));
  std::vector<std::byte> front(records_at + record_header_bytes);
  if (!file.read(0, front) || all_zero(bytes_view(front).subspan(records_at)))
    return;  // never used: every opening takes such files for itself
  const auto listed = std::find_if(listed_.begin(), listed_.end(),
                                   [&](const listed_segment& l) { return l.header.slot == slot; });
  if (listed != listed_.end() && begins_with_record(file, listed->header)) {
    for (const std::uint64_t at : header_copies)
      rewrite(name, at, listed->header,
              "both copies of the header are damaged; the newest checkpoint lists the segment");
    return;
  }
  if (in_log(name) != nullptr || listed != listed_.end() || is_missed(info_.segments, slot)) {
    plan_.unsolved.push_back(name +
                             ": no good copy of its header is left, so its records cannot be "
                             "read; it is left as it is, and a device passes over it");
    return;
  }
  // A device takes such a file to use it again.
  if (stale_copy || header_never_written(front)) return;
  plan_.steps.push_back({repair_step::kind::remove,
                         name,
                         0,
                         {},
                         "it has no readable header and nothing in the log refers to it; devices "
                         "leave it alone for ever"});
}

void planner::plan_checkpoints() {
  const checkpoint_info* newest = info_.newest_checkpoint();
  for (const checkpoint_info& c : info_.checkpoints) {
    if (c.readable) continue;
    if (newest == nullptr)
      plan_.unsolved.push_back(c.name +
                               ": cannot be read, and there is no other; a device replays the "
                               "whole log, as far as it is there");
    else
      plan_.steps.push_back({repair_step::kind::remove,
                             c.name,
                             0,
                             {},
                             "it cannot be read; " + newest->name + " can, and is used"});
  }
}

lasting_damage place_of(const damage& what, const journal_info& info) {
  for (const segment_info& s : info.segments)
    if (s.in_log && s.header.base <= what.position && what.position - s.header.base < s.header.size)
      return {s.name, what.position - s.header.base, what};
  return {{}, 0, what};
}

}  // namespace

result<repair_plan> plan_repair(const std::string& directory) {
  if (journal_in_use(directory))
    return {errc::in_use, directory + ": a device has this journal open; stop it first"};
  return look_for_repairs(directory);
}

result<repair_plan> look_for_repairs(const std::string& directory) {
  auto reader = journal_reader::open(directory);
  if (!reader) return reader.take_status();
  planner plans(directory, **reader);
  plans.read_list();
  plans.plan_segments();
  plans.plan_checkpoints();
  repair_plan plan = plans.take();
  auto seen = (*reader)->verify();
  if (!seen) return seen.take_status();
  for (const damage& row : seen->damaged) plan.damaged.push_back(place_of(row, (*reader)->info()));
  for (const damage& row : seen->torn) plan.torn_bytes += row.size;
  return plan;
}

}  // namespace holdfast
