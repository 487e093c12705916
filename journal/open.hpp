// Opening a device's journal in a directory of the file system, in one call.
#pragma once

#include <memory>
#include <string>

#include "journal/file_storage.hpp"
#include "journal/journal.hpp"

namespace holdfast {

/// Locks `directory`, opens or creates the journal in it. boot_id and seed are filled from the
/// system when left at zero.
result<std::unique_ptr<journal>> open_journal(const std::string& directory, journal_options options,
                                              open_report& report);

}  // namespace holdfast
