// copy_target: the directory a copy of a journal is made in. It has its name only once all of the
// copy is durable; until then it is TARGET.unfinished, in which no journal can be found.
//
// Contract: blocking, tools only, one thread. TARGET.unfinished is locked while the copy is made.
// What was begun and not put in place is removed by the destructor; what a killed copy left, by the
// next one to the same target.
#pragma once

#include <string>

#include "journal/tool_files.hpp"

namespace holdfast {

class copy_target {
 public:
  explicit copy_target(std::string directory);
  ~copy_target();
  copy_target(const copy_target&) = delete;
  copy_target& operator=(const copy_target&) = delete;

  /// Makes TARGET.unfinished; refuses a target that is in use or not empty.
  status begin();
  /// In TARGET.unfinished: for files that are being copied.
  std::string copying() const { return work_ + "/copying"; }
  /// In it as well: becomes the target.
  const std::string& whole() const noexcept { return whole_; }
  status make_whole();
  /// In one step, durably.
  status put_in_place();

 private:
  status clear_unfinished();
  status remove_unfinished();

  std::string target_;
  std::string work_;  // TARGET.unfinished
  std::string whole_;
  tool_file lock_;
  bool begun_ = false;
};

}  // namespace holdfast
