// machine: on what a run was made, in a line for people: its figures belong to it.
#pragma once

#include <string>

namespace holdfast::bench {

/// Processor, cores, memory, kernel, and the file system that scratch_directory is on.
std::string describe_machine();
/// Load average of the last minute: more than a benchmark itself makes tells of other work.
double load_average();

}  // namespace holdfast::bench
