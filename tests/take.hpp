// take(): the value of what must have been successful; the test fails with the reason if it was
// not.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <utility>

#include "holdfast/status.hpp"

namespace holdfast::testing {

template <class T>
T take(result<T> made) {
  if (!made.ok()) FAIL(std::string(made.text()));
  return std::move(made).value();
}

}  // namespace holdfast::testing
