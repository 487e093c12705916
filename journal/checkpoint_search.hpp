// checkpoint_search: the checkpoints in a journal's directory when it is opened: the newest that is
// whole, and those before it by their headers.
//
// Contract: blocking. Only files that cannot be opened are an error; one that is damaged is noted
// and passed over. Reads of a file no more than what is in force: behind it there is space made
// ahead.
#pragma once

#include <string>
#include <vector>

#include "base/storage.hpp"
#include "journal/checkpoint_file.hpp"

namespace holdfast {

struct kept_checkpoint {
  std::uint64_t number = 0;
  std::uint64_t position = 0;
  std::uint64_t size = 0;  ///< of what is in force
  std::uint64_t file_size = 0;
};

struct checkpoint_search {
  bool found = false;
  checkpoint_content newest;          ///< if one was found
  std::vector<kept_checkpoint> kept;  ///< oldest first, the newest the last
  bool damaged = false;               ///< one newer than what was found cannot be used
  std::vector<std::string> notes;     ///< what is wrong with those that cannot be used
  std::uint64_t bytes = 0;            ///< of all files
};

result<checkpoint_search> search_checkpoints(storage& files);

}  // namespace holdfast
