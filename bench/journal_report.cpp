#include "bench/journal_report.hpp"

#include <algorithm>
#include <cstdio>

#include "bench/processes.hpp"

namespace holdfast::bench {

void journal_report::head(const std::string& title) {
  group_ = title;
  std::printf("\n%s\n", title.c_str());
}

void journal_report::add(const std::string& name, double value, const std::string& unit,
                         sense which, double limit) {
  const row made{group_, name, unit, value, limit, which};
  std::printf("  %-58s %12.4g %-8s", name.c_str(), value, unit.c_str());
  if (which != sense::told)
    std::printf("  limit %s %-8.4g %s", which == sense::at_most ? "<=" : ">=", limit,
                made.held() ? "" : "MISSED");
  std::printf("\n");
  std::fflush(stdout);
  rows_.push_back(made);
}

int journal_report::finish(const std::string& json_path) const {
  if (!json_path.empty()) write_json(json_path);
  const auto missed =
      std::count_if(rows_.begin(), rows_.end(), [](const row& r) { return !r.held(); });
  std::printf("\n%zu figures, %ld beyond their limits\n", rows_.size(), static_cast<long>(missed));
  return static_cast<int>(missed);
}

// Names, groups and units are this program's own words: nothing in them needs escaping.
void journal_report::write_json(const std::string& path) const {
  std::FILE* out = std::fopen(path.c_str(), "w");
  if (!out) give_up(path + " cannot be written");
  std::fprintf(out, "[");
  const char* between = "\n";
  for (const row& r : rows_) {
    std::fprintf(out, "%s  {\"group\": \"%s\", \"name\": \"%s\", \"value\": %.6g, \"unit\": \"%s\"",
                 between, r.group.c_str(), r.name.c_str(), r.value, r.unit.c_str());
    if (r.which != sense::told)
      std::fprintf(out, ", \"%s\": %.6g, \"held\": %s",
                   r.which == sense::at_most ? "at_most" : "at_least", r.limit,
                   r.held() ? "true" : "false");
    std::fprintf(out, "}");
    between = ",\n";
  }
  std::fprintf(out, "\n]\n");
  std::fclose(out);
}

}  // namespace holdfast::bench
