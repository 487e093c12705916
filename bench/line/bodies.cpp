#include "bench/line/bodies.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace holdfast::bench {
namespace {

// Few, so that they stay in the processor's cache; an odd number meets no rhythm of anybody's.
constexpr std::size_t kinds = 3, number_bytes = sizeof(std::uint64_t);
constexpr std::uint32_t mark = 0x68637262;  // behind the number

std::vector<std::byte> random_bytes(std::size_t count, std::mt19937_64& source) {
  std::vector<std::byte> made(count);
  std::generate(made.begin(), made.end(), [&] { return static_cast<std::byte>(source()); });
  std::memcpy(made.data() + number_bytes, &mark, sizeof mark);
  return made;
}

}  // namespace

bodies::bodies(std::size_t bytes, std::uint64_t run) : bytes_(std::max(bytes, 2 * number_bytes)) {
  std::mt19937_64 source(bytes_ ^ run);  // both ends make the same
  for (std::size_t i = 0; i < kinds; ++i) kinds_.push_back(random_bytes(bytes_, source));
}

body_view bodies::of(std::uint64_t number) {
  std::vector<std::byte>& body = kinds_[number % kinds];
  std::memcpy(body.data(), &number, number_bytes);
  return body;
}

const char* bodies::fault_in(std::uint64_t number, body_view found) const {
  if (found.size() != bytes_) return "a message has a wrong size";
  const std::uint64_t came = number_in(found);
  if (came > number) return "a message is missing";
  if (came < number) return "a message came twice or out of its turn";
  const std::byte* due = kinds_[number % kinds].data();
  return std::memcmp(found.data() + number_bytes, due + number_bytes, bytes_ - number_bytes) == 0
             ? ""
             : "a message has a wrong byte";
}

std::uint64_t number_in(body_view body) {
  std::uint64_t number = 0;
  if (body.size() >= number_bytes) std::memcpy(&number, body.data(), number_bytes);
  return number;
}

bool is_marked(body_view body) {
  std::uint32_t found = 0;
  if (body.size() < 2 * number_bytes) return false;
  std::memcpy(&found, body.data() + number_bytes, sizeof found);
  return found == mark;
}

}  // namespace holdfast::bench
