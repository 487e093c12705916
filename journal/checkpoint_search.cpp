#include "journal/checkpoint_search.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

namespace holdfast {
namespace {

constexpr std::uint64_t read_bytes = 1ull << 20;

// As much of the file as it says it holds; `done` bytes of it.
status read_in_force(storage& files, file_id file, std::span<std::byte> into, std::uint64_t& done) {
  std::uint64_t wanted = std::min<std::uint64_t>(into.size(), read_bytes);
  while (done < wanted) {
    if (status read = files.read_now(file, done, into.subspan(done, wanted - done)); !read)
      return read;
    done = wanted;
    const bytes_view so_far = into.first(done);
    wanted = std::min<std::uint64_t>(into.size(), checkpoint_bytes_wanted(so_far, 2 * done));
  }
  return {};
}

// Of a checkpoint that is older than the one in use only the header matters: where it begins.
void take_older(storage& files, file_id file, const file_info& of, checkpoint_search& to) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(of.size, checkpoint_header_bytes));
  checkpoint_header header;
  if (files.read_now(file, 0, bytes).ok() && decode_checkpoint_header(bytes, header))
    to.kept.push_back({header.number, header.position, of.size, of.size});
  else
    to.notes.push_back(of.name + ": its header is damaged; a newer checkpoint is used");
}

void take_newest(storage& files, file_id file, const file_info& of, checkpoint_search& to) {
  const auto bytes = std::make_unique_for_overwrite<std::byte[]>(of.size);
  std::uint64_t done = 0;
  status read = read_in_force(files, file, {bytes.get(), of.size}, done);
  result<checkpoint_content> parsed = read.ok() ? parse_checkpoint({bytes.get(), done}, of.name)
                                                : result<checkpoint_content>(std::move(read));
  if (!parsed) {
    to.damaged = true;
    to.notes.emplace_back(parsed.text());
    return;
  }
  to.found = true;
  to.newest = std::move(parsed).value();
  to.kept.push_back({to.newest.header.number, to.newest.header.position, to.newest.size, of.size});
}

}  // namespace

result<checkpoint_search> search_checkpoints(storage& files) {
  result<std::vector<file_info>> all = files.list("");
  if (!all) return all.take_status();
  std::map<std::int64_t, file_info, std::greater<>> numbered;
  for (const file_info& file : *all)
    if (const std::int64_t number = checkpoint_number(file.name); number >= 0)
      numbered[number] = file;
  checkpoint_search made;
  for (const auto& [number, file] : numbered) {
    result<file_id> opened = files.open_file(file.name);
    if (!opened) return opened.take_status();
    (made.found ? take_older : take_newest)(files, *opened, file, made);
    files.close_file(*opened);
    made.bytes += file.size;
  }
  std::reverse(made.kept.begin(), made.kept.end());
  return made;
}

}  // namespace holdfast
