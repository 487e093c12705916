// again: what a decoder understood, encoded and decoded once more, must be the same. Encoded bytes
// stand for the values, which need no comparison of their own.
#pragma once

#include "tests/fuzz/input.hpp"

namespace holdfast::testing {

/// A decoder's outcome, which is a result<T> or an optional<T>.
template <class R>
void must_be_told(const R& decoded) {
  if constexpr (requires { decoded.text(); }) must(decoded || !decoded.text().empty());
}

/// True if `bytes` were understood. `decode(bytes)` gives an outcome, `encode(value)` bytes.
template <class Decode, class Encode>
bool same_again(bytes_view bytes, Decode&& decode, Encode&& encode) {
  const auto first = decode(bytes);
  must_be_told(first);
  if (!first) return false;
  const auto once = encode(*first);
  const auto second = decode(once.bytes());
  must(static_cast<bool>(second));
  const auto twice = encode(*second);
  const bytes_view a = once.bytes(), b = twice.bytes();
  must(std::equal(a.begin(), a.end(), b.begin(), b.end()));
  return true;
}

/// The same of a format with one way to say a thing: the bytes come back, but for what stands
/// behind them for later versions.
template <class Decode, class Encode>
bool same_bytes(bytes_view bytes, Decode&& decode, Encode&& encode) {
  if (!same_again(bytes, decode, encode)) return false;
  const auto made = encode(*decode(bytes));
  const bytes_view again = made.bytes();
  must(again.size() <= bytes.size() && std::equal(again.begin(), again.end(), bytes.begin()));
  return true;
}

}  // namespace holdfast::testing
