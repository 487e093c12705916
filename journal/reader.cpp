#include "journal/reader.hpp"

#include <algorithm>
#include <utility>

#include "journal/read_file.hpp"

namespace holdfast {
namespace {

class reader_of_files final : public journal_reader {
 public:
  explicit reader_of_files(std::string directory) : directory_(std::move(directory)) {}
  status look();
  const journal_info& info() const noexcept override { return info_; }
  result<std::vector<std::byte>> checkpoint_rows() override;
  std::uint64_t bytes_before(std::uint64_t position) const noexcept override;
  status walk(std::uint64_t from, const taker& take) override;
  result<verify_summary> verify(std::uint64_t from, const taker& take,
                                const record_choice& wanted) override;

 private:
  bool walk_segment(const segment_info& in, std::uint64_t from, std::uint64_t to,
                    const taker& take);
  bool walk_chosen(const segment_info& in, std::uint64_t from, const taker& take, bool& by_index);
  void note_problems(verify_summary& sum) const;
  void judge(std::vector<damage>& bad, verify_summary& sum, const taker& take);

  std::string directory_;
  journal_info info_;
  std::uint64_t durable_to_ = 0;  // by the newest checkpoint
  std::uint64_t reached_ = 0;     // where the walk came to
  record_choice wanted_;          // in verify()
  bool trimmed_ = false;          // it met a segment that was not there any more
};

status reader_of_files::look() {
  auto found = look_at_journal(directory_);
  if (!found) return found.take_status();
  info_ = std::move(found).value();
  for (const checkpoint_info& c : info_.checkpoints)
    if (c.readable) durable_to_ = std::max(durable_to_, c.position);
  return {};
}

// The rows of a live journal's checkpoint: while it was read a newer one may have taken its place.
result<std::vector<std::byte>> reader_of_files::checkpoint_rows() {
  constexpr int looks_max = 5;
  for (int i = 0; i < looks_max; ++i) {
    const checkpoint_info* newest = info_.newest_checkpoint();
    if (newest == nullptr) return std::vector<std::byte>{};
    auto parsed = load_checkpoint(directory_, newest->name);
    if (parsed) return std::move(parsed->pattern_rows);
    if (status looked = look(); !looked) return looked;
  }
  return status{errc::io, directory_ +
                              ": its checkpoints are replaced faster than they are read; "
                              "try again"};
}

bool reader_of_files::walk_segment(const segment_info& in, std::uint64_t from, std::uint64_t to,
                                   const taker& take) {
  const read_file file(directory_ + "/" + in.name);
  const segment_header& header = in.header;
  const std::uint64_t limit = in.end != 0 ? in.end : header.base + header.size;
  if (!segment_is_there(file, header)) {  // trimmed meanwhile
    trimmed_ = true;
    reached_ = std::max(reached_, limit);
    return true;
  }
  const bool open_ended = in.end == 0 && to > limit;
  const std::uint64_t end = std::min(to, limit);
  record_walker walker = walk_of(file, header, from, end);
  while (walker.position() < end) {
    const walked found = walker.next();
    if (found.what != verdict::good && !segment_is_there(file, header)) {
      trimmed_ = true;
      break;
    }
    seen_record seen = seen_of(found, header.slot);
    if (found.what == verdict::bad_header || found.what == verdict::end) {
      const bool more = walker.resync();
      if (!more && open_ended) {  // where writing goes on, or the tail
        reached_ = std::max(reached_, found.position);
        return true;
      }
      seen.what = verdict::bad_header;
      seen.size = walker.position() - found.position;
    }
    if (!take(seen)) return false;
  }
  reached_ = std::max(reached_, end);
  return true;
}

// By the segment's index file, if only some records are wanted. False: enough was taken.
bool reader_of_files::walk_chosen(const segment_info& in, std::uint64_t from, const taker& take,
                                  bool& by_index) {
  if (wanted_.all() || in.end == 0) return true;
  const auto positions = wanted_records(directory_, in, wanted_);
  const read_file file(directory_ + "/" + in.name);
  if (!positions || !segment_is_there(file, in.header)) return true;
  by_index = true;
  reached_ = std::max(reached_, in.end);
  std::vector<std::byte> bytes;
  for (const std::uint64_t position : *positions) {
    if (position < from) continue;
    const seen_record seen = read_record(file, in.header, position, bytes);
    if (seen.what != verdict::good && !segment_is_there(file, in.header)) {
      trimmed_ = true;
      return true;
    }
    if (!take(seen)) return false;
  }
  return true;
}

std::uint64_t reader_of_files::bytes_before(std::uint64_t position) const noexcept {
  std::uint64_t sum = 0;
  for (const segment_info& in : info_.segments) {
    if (!in.in_log || in.header.base >= position) continue;
    const std::uint64_t end = in.end != 0 ? in.end : in.header.base + in.header.size;
    sum += std::min(end, position) - in.header.base;
  }
  return sum;
}

// What was live in a segment that went meanwhile was moved first, maybe to a segment that was made
// since: then on to those, from where the walk came to.
status reader_of_files::walk(std::uint64_t from, const taker& take) {
  do {
    trimmed_ = false;
    reached_ = from;
    for (const segment_info& in : info_.segments) {
      if (!in.in_log || in.header.base + in.header.size <= from) continue;
      bool by_index = false;
      if (!walk_chosen(in, from, take, by_index)) return {};
      if (!by_index && !walk_segment(in, from, ~std::uint64_t{0}, take)) return {};
    }
    from = reached_;
    if (!trimmed_) break;
    auto listed = list_segments(directory_);
    if (!listed) return listed.take_status();
    info_.segments = std::move(listed->segments);
  } while (trimmed_);
  return {};
}

void reader_of_files::note_problems(verify_summary& sum) const {
  for (const segment_info& s : info_.segments) {
    sum.segments += s.in_log ? 1 : 0;
    if (s.header.previous_durable && s.in_log)
      sum.watermark = std::max(sum.watermark, s.header.previous_end);
    if (s.header_damaged && s.in_log)
      sum.problems.push_back(s.name + ": the first copy of its header is bad");
    else if (s.copy_damaged && s.in_log)
      sum.problems.push_back(s.name + ": the second copy of its header is bad");
  }
  for (const std::string& name : info_.unreadable)
    sum.problems.push_back(name + ": neither copy of its header can be read");
  for (const checkpoint_info& c : info_.checkpoints)
    if (!c.readable) sum.problems.push_back(c.problem);
}

void count(const seen_record& seen, verify_summary& sum) {
  const bool block = seen.record.head.type == record_type::block;
  sum.records += 1;
  sum.blocks += block ? 1 : 0;
  sum.messages += block ? seen.record.head.count : 0;
  sum.bytes += seen.size;
  sum.tail = std::max(sum.tail, seen.record.position + seen.size);
}

result<verify_summary> reader_of_files::verify(std::uint64_t from, const taker& take,
                                               const record_choice& choice) {
  wanted_ = choice;
  verify_summary sum;
  std::vector<damage> bad;
  sum.watermark = durable_to_;
  note_problems(sum);
  bool wanted = true;
  const status walked_all = walk(from, [&](const seen_record& seen) {
    sum.watermark = std::max(sum.watermark, seen.watermark);
    if (seen.what != verdict::good) {
      bad.push_back(damage_of(seen));
      return true;
    }
    count(seen, sum);
    wanted = !take || take(seen);
    return wanted;
  });
  wanted_ = {};
  if (!walked_all.ok()) return walked_all.copy();
  judge(bad, sum, wanted ? take : taker{});
  return sum;
}

// What was half written when the walk came by may be whole by now: records are written in order,
// so what lies below the highest watermark is complete when it is looked at once more.
void reader_of_files::judge(std::vector<damage>& bad, verify_summary& sum, const taker& take) {
  for (const damage& row : bad) {
    if (row.position >= sum.watermark) {
      sum.torn.push_back(row);
      continue;
    }
    const auto in =
        std::find_if(info_.segments.begin(), info_.segments.end(), [&](const segment_info& s) {
          return s.in_log && s.header.base <= row.position &&
                 row.position < s.header.base + s.header.size;
        });
    if (in == info_.segments.end()) continue;  // trimmed meanwhile: nothing of it was wanted
    walk_segment(*in, row.position, row.position + row.size, [&](const seen_record& seen) {
      if (seen.what != verdict::good)
        sum.damaged.push_back(damage_of(seen));
      else
        count(seen, sum);
      return seen.what != verdict::good || !take || take(seen);
    });
  }
}

}  // namespace

result<std::unique_ptr<journal_reader>> journal_reader::open(const std::string& directory) {
  auto made = std::make_unique<reader_of_files>(directory);
  if (status looked = made->look(); !looked) return looked;
  return std::unique_ptr<journal_reader>(std::move(made));
}

}  // namespace holdfast
