// report: a run as a table on the terminal, as JSON, and as a page with plots.
//
// JSON: an array with an object a row. HTML: one file that needs nothing else, no script either.
#pragma once

#include <iosfwd>
#include <string>

#include "bench/report/row.hpp"

namespace holdfast::bench {

struct report {
  std::string machine;
  double load_before = 0, load_after = 0;  ///< load averages
  rows all;
};

/// The head of a table, and one line of it: lines can be printed as they come.
std::string table_head(const row& first);
std::string table_line(const row& of);
void write_json(const report& of, std::ostream& to);
void write_html(const report& of, std::ostream& to);

}  // namespace holdfast::bench
