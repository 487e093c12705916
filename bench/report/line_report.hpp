// line_report: one measurement of one line, told by itself.
#pragma once

#include <string>

#include "bench/line/run.hpp"

namespace holdfast::bench {

/// For people; ends with a line's end.
std::string line_text(const work& asked, const sample& seen);
/// One JSON object on one line. What was not measured is null.
std::string line_json(const work& asked, const sample& seen);

}  // namespace holdfast::bench
