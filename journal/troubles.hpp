// troubles: what failed in a live journal, in sentences for the log of the device: what, on which
// file, where, why, and what it means for what was accepted.
//
// Contract: one thread. At most so many wait to be taken; what comes when they are full is counted
// only. What repeats the one before it is left out, and so is, for a minute, what was said already.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "journal/core.hpp"

namespace holdfast {

class troubles {
 public:
  /// What the failure of an operation of the log came to.
  enum class outcome : std::uint8_t {
    one_copy,   ///< the second copy of a header is missing, no more
    rewritten,  ///< what was not durable goes to another segment
    failed,     ///< the journal takes nothing more
  };
  void note(const io_result& done, outcome after, std::uint64_t now_ns);
  /// A place of a mapped file that is gone.
  void note_lost(const std::string& what);
  /// Files can be made again.
  void note_made() { add("files can be made in seg again; whoever was held for it goes on"); }
  /// The sentences since the last call.
  std::vector<std::string> take();

 private:
  void add(std::string text);
  bool said_lately(const std::string& text, std::uint64_t now_ns);
  static constexpr std::size_t waiting_max = 32;
  std::vector<std::string> waiting_;
  std::map<std::string, std::uint64_t> said_at_;
  std::uint64_t left_out_ = 0;
  asker last_who_{};
  file_id last_file_ = 0;
};

}  // namespace holdfast
