// mapping: a read-only map of a whole file. mapping.cpp is the only place of Boost.Interprocess.
//
// A file that somebody truncates while it is mapped has no pages behind its new end: touching them
// is SIGBUS. The journal's own looks at a map stand under a map_guard: there such a page turns into
// zeros, which pass for no record, and is remembered. Elsewhere (a block that was verified and is
// on its way to a peer) the signal ends the process, as it would without us, with a word about why.
//
// Contract: the first map installs a handler of SIGBUS for the process; signals that are not about
// guarded looks go to the handler that was there before. Journals without zero_copy never map.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/buffer.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// Maps `path` read-only, all of it. The buffer is of kind map; the map goes with its last
/// reference. Pages are not touched.
result<buffer_ref> map_file(const std::string& path);

/// While one lives, this thread may touch maps whose files were truncated.
class map_guard {
 public:
  map_guard() noexcept;
  ~map_guard();
  map_guard(const map_guard&) = delete;
  map_guard& operator=(const map_guard&) = delete;
};

/// Places that were gone when they were looked at, since the last call: file and offset.
std::vector<std::string> take_lost_places();

}  // namespace holdfast
