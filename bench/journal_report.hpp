// journal_report: the rows of journal_bench: a figure, its unit, and the limit it is held against.
// Printed as they come, and written as JSON at the end.
#pragma once

#include <string>
#include <vector>

namespace holdfast::bench {

enum class sense { at_most, at_least, told };  ///< told: no limit, the figure alone

class journal_report {
 public:
  /// Opens a group of rows.
  void head(const std::string& title);
  void add(const std::string& name, double value, const std::string& unit,
           sense which = sense::told, double limit = 0);
  /// Prints how many rows miss their limit; 0 if none does.
  int finish(const std::string& json_path) const;

 private:
  struct row {
    std::string group, name, unit;
    double value = 0, limit = 0;
    sense which = sense::told;
    bool held() const {
      return which == sense::told || (which == sense::at_most ? value <= limit : value >= limit);
    }
  };
  void write_json(const std::string& path) const;

  std::string group_;
  std::vector<row> rows_;
};

}  // namespace holdfast::bench
