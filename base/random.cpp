#include "base/random.hpp"

#include <sys/random.h>

#include "base/check.hpp"
#include "base/coding.hpp"

namespace holdfast {

std::array<std::byte, 16> random_source::bytes16() noexcept {
  std::array<std::byte, 16> made{};
  store(made.data(), next());
  store(made.data() + 8, next());
  return made;
}

std::uint64_t system_seed() noexcept {
  std::uint64_t seed = 0;
  check(getrandom(&seed, sizeof seed, 0) == sizeof seed, "the operating system gives random bytes");
  return seed;
}

}  // namespace holdfast
