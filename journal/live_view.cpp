#include "journal/live_view.hpp"

#include <algorithm>
#include <filesystem>

#include "journal/segment_copy.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> names_in(const std::string& directory) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error))
    names.push_back(at->path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

status live_view::find_checkpoint() {
  checkpoint_ = {};
  bytes_.clear();
  name_.clear();
  remarks_.clear();
  std::map<std::int64_t, std::string> numbered;
  for (const std::string& name : names_in(directory_))
    if (checkpoint_number(name) >= 0) numbered[checkpoint_number(name)] = name;
  for (auto at = numbered.rbegin(); at != numbered.rend() && name_.empty(); ++at)
    if (status taken = take_checkpoint(at->second); !taken) return taken;
  return {};
}

status live_view::take_checkpoint(const std::string& name) {
  const tool_file file(directory_ + "/" + name, tool_file::how::read);
  if (file.opened().kind() == errc::not_found) return {};  // replaced meanwhile
  if (!file.is_open()) return file.opened();
  std::vector<std::byte> bytes(file.size());
  if (!file.read(0, bytes)) bytes.clear();
  auto parsed = parse_checkpoint(bytes, name);
  if (!parsed) {
    remarks_.emplace_back(parsed.text());
    return {};
  }
  checkpoint_ = std::move(parsed).value();
  std::sort(checkpoint_.segments.begin(), checkpoint_.segments.end(),
            [](const auto& a, const auto& b) { return a.header.base < b.header.base; });
  bytes.resize(checkpoint_.size);
  bytes_ = std::move(bytes);
  name_ = name;
  return {};
}

status live_view::look_at_segments() {
  headers_.clear();
  const bool known = !name_.empty();
  for (const std::string& name : names_in(directory_ + "/seg")) {
    if (segment_slot("seg/" + name) < 0) continue;
    const tool_file file(directory_ + "/seg/" + name, tool_file::how::read);
    if (!file.is_open() && file.opened().kind() != errc::not_found) return file.opened();
    auto header = read_segment_header(file);
    if (!header || segment_name(header->slot) != "seg/" + name) continue;
    if (known && header->journal_id != checkpoint_.header.journal_id) continue;
    segment_header& place = headers_[header->base];
    if (place.epoch <= header->epoch) place = *header;
  }
  // A segment whose two headers are bad is known by the checkpoint, if its file is there.
  if (known && !checkpoint_.segments.empty()) {
    const segment_header& last = checkpoint_.segments.back().header;
    headers_.try_emplace(last.base, last);
  }
  if (headers_.empty()) return {errc::not_found, directory_ + ": there is no journal here"};
  follow_chain();
  return {};
}

// Back from the newest header, as recovery does.
void live_view::follow_chain() {
  next_.clear();
  const segment_header* at = &headers_.rbegin()->second;
  for (;;) {
    first_ = at->base;
    if (at->previous_end == 0) break;
    const auto previous = headers_.find(at->previous_base);
    if (previous == headers_.end() || previous->first >= at->base) break;
    next_[previous->first] = at->base;
    at = &previous->second;
  }
}

const segment_header* live_view::successor(std::uint64_t base) const {
  const auto next = next_.find(base);
  return next == next_.end() ? nullptr : &headers_.at(next->second);
}

}  // namespace holdfast
