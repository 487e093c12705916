// plots: the pictures of a report, as SVG inside HTML; colours are CSS classes of the page, so that
// they follow its light and dark.
#pragma once

#include <string>

#include "bench/report/row.hpp"

namespace holdfast::bench {

/// Ratios on a logarithmic axis, a bar from 1 to each median and a whisker over its range.
std::string ratio_plot(const rows& of);
/// CPU time per message, stacked: producer, broker, consumer.
std::string cpu_plot(const rows& of);
/// p50, p99 and p99.9 of each, on a logarithmic axis.
std::string time_plot(const rows& of);

/// Text as it may stand in HTML.
std::string escaped(const std::string& text);
/// Whose a row is, for colours: "own", "plain" or "peer".
std::string family(const row& of);

}  // namespace holdfast::bench
