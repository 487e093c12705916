#include "journal/segment_list.hpp"

#include <algorithm>
#include <array>
#include <filesystem>

#include "journal/segment_table.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

// Neither whole nor still empty: it is written after the first, so that of a former use is none. It
// may be being written right now, so it is looked at twice.
bool second_copy_damaged(const read_file& file) {
  std::array<std::byte, segment_header_bytes> bytes{};
  for (int look = 0; look < 2; ++look)
    if (!file.read(segment_header_copy_at, bytes) || all_zero(bytes) ||
        decode_segment_header(bytes).has_value())
      return false;
  return true;
}

void look_at(const std::string& directory, const std::string& name, segment_list& into) {
  const read_file file(directory + "/" + name);
  if (!file.is_open()) return;  // trimmed meanwhile
  std::array<std::byte, records_at + record_header_bytes> head{};
  const bool readable = file.read(0, head);
  const bytes_view bytes(head);
  segment_info found;
  found.name = name;
  // A header of another slot was misplaced: as bad as none.
  const auto header_at = [&](std::uint64_t at) {
    auto decoded = decode_segment_header(bytes.subspan(at));
    return decoded && decoded->slot == segment_slot(name) ? decoded : std::nullopt;
  };
  auto header = header_at(0);
  found.header_damaged = !header;
  found.copy_damaged = readable && second_copy_damaged(file);
  if (!header) header = header_at(segment_header_copy_at);
  const bool known = readable && header;
  const auto blank = [&] {
    return file.size() == 0 || (readable && all_zero(bytes.subspan(records_at)));
  };
  if (known ? header->spare : blank()) {
    into.spares.push_back(name);
  } else if (known) {
    found.header = *header;
    into.segments.push_back(std::move(found));
  } else if (readable && header_never_written(bytes)) {
    into.unused.push_back(name);
  } else {
    into.unreadable.push_back(name);
  }
}

// Back from the newest header, as recovery does.
void chain(std::vector<segment_info>& all) {
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

// What a segment of the log comes behind was a part of it, whatever it looks like now.
void sort_out_unused(segment_list& all) {
  const auto missed = [&all](const std::string& name) {
    return is_missed(all.segments, static_cast<std::uint32_t>(segment_slot(name)));
  };
  const auto first_missed = std::stable_partition(all.unused.begin(), all.unused.end(),
                                                  [&](const auto& name) { return !missed(name); });
  all.unreadable.insert(all.unreadable.end(), first_missed, all.unused.end());
  all.unused.erase(first_missed, all.unused.end());
}

}  // namespace

result<segment_list> list_segments(const std::string& directory) {
  segment_list made;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(directory + "/seg", error)) {
    const std::string name = "seg/" + entry.path().filename().string();
    if (segment_slot(name) >= 0) look_at(directory, name, made);
  }
  if (error) return status{errc::not_found, directory + ": there is no journal here"};
  std::sort(made.segments.begin(), made.segments.end(),
            [](const auto& a, const auto& b) { return a.header.base < b.header.base; });
  std::sort(made.spares.begin(), made.spares.end());
  std::sort(made.unused.begin(), made.unused.end());
  chain(made.segments);
  sort_out_unused(made);
  return made;
}

bool is_missed(const std::vector<segment_info>& segments, std::uint32_t slot) {
  return std::any_of(segments.begin(), segments.end(), [&](const segment_info& s) {
    return s.in_log && s.header.previous_end != 0 && s.header.previous_slot == slot &&
           std::none_of(segments.begin(), segments.end(), [&](const segment_info& of) {
             return of.header.base == s.header.previous_base;
           });
  });
}

bool segment_is_there(const read_file& file, const segment_header& header) {
  // The first copy counts if it can be read: the second may still be that of a former use.
  for (const std::uint64_t at : {std::uint64_t{0}, segment_header_copy_at}) {
    std::array<std::byte, segment_header_bytes> bytes{};
    if (!file.is_open() || !file.read(at, bytes)) continue;
    if (const auto found = decode_segment_header(bytes)) return found == header;
  }
  return false;
}

record_walker walk_of(const read_file& file, const segment_header& header, std::uint64_t from,
                      std::uint64_t to) {
  return record_walker(
      [&file](std::uint64_t offset, std::span<std::byte> into) {
        return file.read(offset, into) ? status{} : status{errc::io, "short read"};
      },
      header.base, segment_key(header.journal_id, header.epoch),
      std::max(from, header.base + records_at), to);
}

}  // namespace holdfast
