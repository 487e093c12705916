// planted_table: every planted mistake by name, and what it is in words.
//
// Contract: data. The mistakes themselves are where somebody would make them (base/planted.hpp).
#pragma once

#include <span>
#include <string_view>

#include "base/planted.hpp"

namespace holdfast::sim {

struct planted_entry {
  bug what;
  const char* name;
  const char* words;
};

std::span<const planted_entry> planted_table();
const planted_entry* find_planted(std::string_view name);

}  // namespace holdfast::sim
