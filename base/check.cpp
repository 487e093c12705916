#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

namespace holdfast {

void check_failed(const char* what, const std::source_location& where) noexcept {
  std::fprintf(stderr, "holdfast: broken invariant: %s (%s:%u)\n", what, where.file_name(),
               where.line());
  std::abort();
}

}  // namespace holdfast
