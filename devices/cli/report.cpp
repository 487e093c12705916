#include "devices/cli/report.hpp"

#include <cstdio>

namespace holdfast::cli {

void complain(std::string_view text) {
  std::fprintf(stderr, "holdfast: %.*s\n", static_cast<int>(text.size()), text.data());
}

int fail(const status& why) {
  complain(why.text());
  switch (why.kind()) {
    case errc::corrupt: return corruption;
    case errc::invalid: return usage;
    default: return failed;
  }
}

int fail_usage(std::string_view text) {
  complain(text);
  return usage;
}

}  // namespace holdfast::cli
