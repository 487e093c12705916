// io_failure: what failed of an operation on a file, in words: the file, the place, the reason.
//
// Contract: any thread. For io_result::text; what is safe all the same is the journal's to say.
#pragma once

#include <string>

#include "journal/open_files.hpp"

namespace holdfast {

/// "No space left on device"
std::string system_text(int error);

/// "DIR/seg/000017.seg: 4096 bytes at offset 8192 cannot be written: No space left on device"
std::string io_failure(const open_files& files, const io_op& op, int error);

}  // namespace holdfast
