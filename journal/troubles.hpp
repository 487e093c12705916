// troubles: what failed in a live journal, in sentences for the log of the device: what, on which
// file, where, why, and what it means for what was accepted.
//
// Contract: one thread. At most so many wait to be taken; what repeats the one before it, or comes
// when they are full, is counted only.
#pragma once

#include <string>
#include <vector>

#include "journal/core.hpp"

namespace holdfast {

class troubles {
 public:
  /// `failed`: the journal takes nothing more.
  void note(const io_result& done, bool failed);
  /// A place of a mapped file that is gone.
  void note_lost(const std::string& what);
  /// The sentences since the last call.
  std::vector<std::string> take();

 private:
  void add(std::string text);
  static constexpr std::size_t waiting_max = 32;
  std::vector<std::string> waiting_;
  std::uint64_t left_out_ = 0;
  asker last_who_{};
  file_id last_file_ = 0;
};

}  // namespace holdfast
