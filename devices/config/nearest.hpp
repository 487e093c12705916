// nearest: the word a person most likely meant. Every mistyped verb, option, key or choice is
// answered with it.
//
// Contract: pure; compares bytes, ignoring ASCII case.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace holdfast {

/// The candidate within two edits of `word` (one for words of up to three letters; a swap of two
/// neighbours is one edit), or one that `word` begins; empty when none is near.
std::string_view nearest(std::string_view word, std::span<const std::string_view> candidates);

/// "; did you mean 'in'?" when one is near, else "; one of: in, out". Ends a sentence of an error.
std::string suggestion(std::string_view word, std::span<const std::string_view> candidates);

}  // namespace holdfast
