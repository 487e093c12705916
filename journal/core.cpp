#include "journal/core.hpp"

#include <algorithm>

#include "journal/segment_index.hpp"

namespace holdfast {

void core::remove_segment_file(std::uint32_t slot, std::uint64_t size) {
  submit(make_remove(segment_name(slot), make_tag(asker::removal, 0)));
  disk_used -= std::min(disk_used, size);
  remove_index_file(slot);
}

void core::remove_index_file(std::uint32_t slot) {
  const auto file = index_files.find(slot);
  if (file == index_files.end()) return;
  submit(make_remove(index_name(slot), make_tag(asker::removal, 0)));
  disk_used -= std::min(disk_used, file->second);
  index_files.erase(file);
}

}  // namespace holdfast
