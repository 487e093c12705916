#include "journal/journal_info.hpp"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "journal/read_file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

bool has_segment(const journal_info& in, std::uint64_t base) {
  return std::any_of(in.segments.begin(), in.segments.end(),
                     [base](const segment_info& s) { return s.header.base == base; });
}

class look {
 public:
  explicit look(const std::string& directory) : directory_(directory) {}
  result<journal_info> take();

 private:
  void add_checkpoint(const std::string& name);
  void sort_out_listed();

  const std::string& directory_;
  journal_info info_;
  std::uint64_t newest_position_ = 0;   // of the checkpoints that can be read
  std::vector<listed_segment> listed_;  // by the checkpoint there
};

result<journal_info> look::take() {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory_, error)) {
    const std::string name = entry.path().filename().string();
    if (checkpoint_number(name) >= 0) add_checkpoint(name);
  }
  if (error) return {errc::not_found, directory_ + ": cannot be listed: " + error.message()};
  auto listed = list_segments(directory_);
  if (!listed || (listed->segments.empty() && info_.checkpoints.empty()))
    return {errc::not_found, directory_ + ": there is no journal here"};
  std::sort(info_.checkpoints.begin(), info_.checkpoints.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  info_.segments = std::move(listed->segments);
  info_.unreadable = std::move(listed->unreadable);
  info_.spares = std::move(listed->spares);
  info_.unused = std::move(listed->unused);
  for (const segment_info& s : info_.segments) {
    info_.id = s.header.journal_id;
    info_.epoch = std::max(info_.epoch, s.header.epoch);
  }
  sort_out_listed();
  return std::move(info_);
}

void look::add_checkpoint(const std::string& name) {
  auto parsed = load_checkpoint(directory_, name);
  if (parsed.kind() == errc::not_found) return;  // replaced meanwhile
  checkpoint_info found;
  found.name = name;
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
    if (h.position >= newest_position_) listed_ = std::move(parsed->segments);
    newest_position_ = std::max(newest_position_, h.position);
  }
  info_.checkpoints.push_back(std::move(found));
}

// What the newest checkpoint lists is a part of the log, even if its front is gone.
void look::sort_out_listed() {
  for (const listed_segment& listed : listed_) {
    const std::string name = segment_name(listed.header.slot);
    const auto at = std::find(info_.unused.begin(), info_.unused.end(), name);
    if (at == info_.unused.end() || has_segment(info_, listed.header.base)) continue;
    info_.unused.erase(at);
    info_.unreadable.push_back(name);
  }
}

}  // namespace

const checkpoint_info* journal_info::newest_checkpoint() const noexcept {
  const checkpoint_info* newest = nullptr;
  for (const checkpoint_info& c : checkpoints)
    if (c.readable && (newest == nullptr || c.number > newest->number)) newest = &c;
  return newest;
}

result<journal_info> look_at_journal(const std::string& directory) {
  return look(directory).take();
}

result<checkpoint_content> load_checkpoint(const std::string& directory, const std::string& name) {
  const std::string path = directory + "/" + name;
  const read_file file(path);
  if (!file.is_open()) return status{errc::not_found, path + ": is not there any more"};
  std::vector<std::byte> bytes(file.size());
  if (!file.read(0, bytes)) bytes.clear();
  return parse_checkpoint(bytes, name);
}

}  // namespace holdfast
