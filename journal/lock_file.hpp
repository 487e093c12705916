// lock_file: DIR/LOCK, by which one device, or one tool that changes something, has a journal to
// itself.
//
// Contract: advisory, of the open file and not of the process: it holds against a second device in
// this process too, goes with the descriptor that took it, and closing another one does not drop
// it. Any thread.
#pragma once

#include <string>

#include "journal/descriptor.hpp"

namespace holdfast {

inline constexpr const char* lock_file_name = "LOCK";

/// Takes the lock, never waits. False: somebody else has it.
bool lock_whole_file(const descriptor& file) noexcept;

/// True while a device holds the lock of this data directory, wherever it runs on this machine.
/// False as well where there is no such file.
bool journal_in_use(const std::string& directory);

}  // namespace holdfast
