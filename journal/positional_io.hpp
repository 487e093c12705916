// positional_io: reads and writes at an offset of an open file, whole however few bytes the kernel
// takes or gives at a time.
//
// Contract: blocking; any thread, the file's own position is neither used nor moved. Interrupted
// calls are made again. Short files and errors are the caller's to name.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <span>

namespace holdfast {

/// False if not all of `into` could be read.
bool read_at(int fd, std::uint64_t at, std::span<std::byte> into) noexcept;

/// Writes the parts one behind the other with as few calls as possible, and moves `at` behind what
/// was written, the parts' bounds too. 0, or an errno value.
int write_at(int fd, std::uint64_t& at, std::span<iovec> parts) noexcept;

}  // namespace holdfast
