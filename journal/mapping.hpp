// mapping: a read-only map of a whole file. mapping.cpp is the only place of Boost.Interprocess.
#pragma once

#include <memory>
#include <string>

#include "base/buffer.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// Maps `path` read-only, all of it. The buffer is of kind map; the map goes with its last
/// reference. Pages are not touched.
result<buffer_ref> map_file(const std::string& path);

}  // namespace holdfast
