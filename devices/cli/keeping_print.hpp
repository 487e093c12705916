// keeping_print: what journal backup, restore and repair say, as text or as JSON.
//
// Contract: appends to `out`; one object a line in JSON.
#pragma once

#include <string>

#include "journal/backup.hpp"
#include "journal/repair.hpp"

namespace holdfast::cli {

/// `target`: the directory that was made.
void print_copy(const backup_outcome& made, const std::string& target, bool json, std::string& out);
/// Each step as a line; `done`: it was carried out.
void print_steps(const repair_plan& plan, bool done, bool json, std::string& out);
/// What stays wrong.
void print_lasting(const repair_plan& plan, bool json, std::string& out);

}  // namespace holdfast::cli
