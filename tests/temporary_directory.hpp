// temporary_directory: a directory of a test's own; it goes with its object.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <string>

namespace holdfast::testing {

struct temporary_directory {
  temporary_directory() {
    if (::mkdtemp(path.data()) == nullptr) throw std::runtime_error(path + ": cannot be made");
  }
  ~temporary_directory() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  temporary_directory(const temporary_directory&) = delete;
  temporary_directory& operator=(const temporary_directory&) = delete;

  std::string path = (std::filesystem::temp_directory_path() / "holdfast-XXXXXX").string();
};

}  // namespace holdfast::testing
