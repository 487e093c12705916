#include "journal/reader.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>

#include "journal/checkpoint_file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

bool all_zero(bytes_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

class read_file {
 public:
  explicit read_file(const std::string& path) : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  read_file(const read_file&) = delete;
  read_file& operator=(const read_file&) = delete;
  ~read_file() {
    if (fd_ >= 0) ::close(fd_);
  }
  bool is_open() const noexcept { return fd_ >= 0; }
  int get() const noexcept { return fd_; }
  bool read(std::uint64_t at, std::span<std::byte> into) const {
    std::size_t done = 0;
    while (done < into.size()) {
      const ssize_t got =
          ::pread(fd_, into.data() + done, into.size() - done, static_cast<off_t>(at + done));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return false;
      done += static_cast<std::size_t>(got);
    }
    return true;
  }

 private:
  int fd_;
};

class reader_of_files final : public journal_reader {
 public:
  explicit reader_of_files(std::string directory) : directory_(std::move(directory)) {}
  status look();
  const journal_info& info() const noexcept override { return info_; }
  status walk(std::uint64_t from, const taker& take) override;
  result<verify_summary> verify(std::uint64_t from, const taker& take) override;

 private:
  void look_at_segment(const std::string& name);
  void look_at_checkpoint(const std::string& name);
  void chain();
  bool walk_segment(const segment_info& in, std::uint64_t from, std::uint64_t to,
                    const taker& take);
  void note_problems(verify_summary& sum) const;
  void judge(std::vector<damage>& bad, verify_summary& sum, const taker& take);

  std::string directory_;
  journal_info info_;
  std::uint64_t oldest_needed_ = 0;  // position of the newest checkpoint
};

status reader_of_files::look() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (checkpoint_number(name) >= 0) look_at_checkpoint(name);
  }
  if (error) return {errc::not_found, directory_ + ": cannot be listed: " + error.message()};
  for (const auto& entry : fs::directory_iterator(directory_ + "/seg", error)) {
    const std::string name = "seg/" + entry.path().filename().string();
    if (segment_slot(name) >= 0) look_at_segment(name);
  }
  if (error || (info_.segments.empty() && info_.checkpoints.empty()))
    return {errc::not_found, directory_ + ": there is no journal here"};
  std::sort(info_.checkpoints.begin(), info_.checkpoints.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  std::sort(info_.spares.begin(), info_.spares.end());
  chain();
  return {};
}

void reader_of_files::look_at_checkpoint(const std::string& name) {
  const read_file file(directory_ + "/" + name);
  if (!file.is_open()) return;  // replaced meanwhile
  std::error_code error;
  std::vector<std::byte> bytes(fs::file_size(directory_ + "/" + name, error));
  if (error || !file.read(0, bytes)) bytes.clear();
  checkpoint_info found;
  found.name = name;
  const auto parsed = parse_checkpoint(bytes, name);
  found.readable = parsed.ok();
  found.problem = parsed.text();
  if (parsed.ok()) {
    const checkpoint_header& h = parsed->header;
    found.number = h.number;
    found.position = h.position;
    found.epoch = h.epoch;
    found.time_ns = h.time_ns;
    found.row_bytes = parsed->pattern_rows.size();
    info_.id = h.journal_id;
    oldest_needed_ = std::max(oldest_needed_, h.position);
  }
  info_.checkpoints.push_back(std::move(found));
}

void reader_of_files::look_at_segment(const std::string& name) {
  const read_file file(directory_ + "/" + name);
  std::array<std::byte, records_at + record_header_bytes> head{};
  const bool readable = file.is_open() && file.read(0, head);
  if (!file.is_open()) return;  // trimmed meanwhile
  segment_info found;
  found.name = name;
  const bytes_view bytes(head);
  auto header = decode_segment_header(bytes);
  found.header_damaged = !header;
  if (!header) header = decode_segment_header(bytes.subspan(segment_header_copy_at));
  if (!readable || !header) {
    if (readable && all_zero(bytes.subspan(records_at)))
      info_.spares.push_back(name);
    else
      info_.unreadable.push_back(name);
    return;
  }
  found.header = *header;
  info_.id = header->journal_id;
  info_.epoch = std::max(info_.epoch, header->epoch);
  info_.segments.push_back(std::move(found));
}

// Back from the newest header, as recovery does.
void reader_of_files::chain() {
  auto& all = info_.segments;
  std::sort(all.begin(), all.end(),
            [](const auto& a, const auto& b) { return a.header.base < b.header.base; });
  std::uint64_t next = ~std::uint64_t{0};
  std::uint64_t next_end = 0;
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const bool newest = at == all.rbegin();
    at->in_log = newest || at->header.base <= next;
    if (!at->in_log) continue;
    if (at->header.base == next) at->end = next_end;
    next = at->header.previous_base;
    next_end = at->header.previous_end;
  }
}

// The file as it was looked at; its name may stand for another segment by now.
bool still_there(const read_file& file, const segment_header& header) {
  for (const std::uint64_t at : {std::uint64_t{0}, segment_header_copy_at}) {
    std::array<std::byte, segment_header_bytes> bytes{};
    if (file.is_open() && file.read(at, bytes) && decode_segment_header(bytes) == header)
      return true;
  }
  return false;
}

bool reader_of_files::walk_segment(const segment_info& in, std::uint64_t from, std::uint64_t to,
                                   const taker& take) {
  const read_file file(directory_ + "/" + in.name);
  const segment_header& header = in.header;
  if (!still_there(file, header)) return true;  // trimmed meanwhile
  const std::uint64_t limit = in.end != 0 ? in.end : header.base + header.size;
  const bool open_ended = in.end == 0 && to > limit;
  const std::uint64_t end = std::min(to, limit);
  record_walker walker(
      [&file](std::uint64_t offset, std::span<std::byte> into) {
        return file.read(offset, into) ? status{} : status{errc::io, "short read"};
      },
      header.base, segment_key(header.journal_id, header.epoch),
      std::max(from, header.base + records_at), end);
  while (walker.position() < end) {
    const walked found = walker.next();
    seen_record seen;
    seen.what = found.what;
    seen.slot = header.slot;
    seen.record = {found.header.head, found.body, found.position};
    seen.size = found.size;
    if (found.what == verdict::bad_header || found.what == verdict::end) {
      const bool more = walker.resync();
      if (!more && open_ended) break;  // where writing goes on, or the tail
      seen.what = verdict::bad_header;
      seen.size = walker.position() - found.position;
    } else {
      seen.watermark = found.position - std::min(found.position, found.header.durable_delta);
    }
    if (!take(seen)) return false;
  }
  return true;
}

status reader_of_files::walk(std::uint64_t from, const taker& take) {
  for (const segment_info& in : info_.segments) {
    if (!in.in_log || in.header.base + in.header.size <= from) continue;
    if (!walk_segment(in, from, ~std::uint64_t{0}, take)) break;
  }
  return {};
}

void reader_of_files::note_problems(verify_summary& sum) const {
  for (const segment_info& s : info_.segments) {
    sum.segments += s.in_log ? 1 : 0;
    if (s.header.previous_durable && s.in_log)
      sum.watermark = std::max(sum.watermark, s.header.previous_end);
    if (s.header_damaged) sum.problems.push_back(s.name + ": the first copy of its header is bad");
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

damage damage_of(const seen_record& seen) {
  damage row{damage_kind::header, seen.record.position, seen.size, no_stream, {}};
  if (seen.what != verdict::bad_body) return row;
  const record_head& head = seen.record.head;
  row.what = damage_kind::body;
  row.stream = head.stream;
  row.messages = {head.first_sequence, head.count};
  return row;
}

result<verify_summary> reader_of_files::verify(std::uint64_t from, const taker& take) {
  verify_summary sum;
  std::vector<damage> bad;
  sum.watermark = oldest_needed_;
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

const checkpoint_info* journal_info::newest_checkpoint() const noexcept {
  const checkpoint_info* newest = nullptr;
  for (const checkpoint_info& c : checkpoints)
    if (c.readable && (newest == nullptr || c.number > newest->number)) newest = &c;
  return newest;
}

bool journal_in_use(const std::string& directory) {
  const read_file lock(directory + "/LOCK");
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  return lock.is_open() && ::fcntl(lock.get(), F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

result<std::unique_ptr<journal_reader>> journal_reader::open(const std::string& directory) {
  auto made = std::make_unique<reader_of_files>(directory);
  if (status looked = made->look(); !looked) return looked;
  return std::unique_ptr<journal_reader>(std::move(made));
}

}  // namespace holdfast
