// record_json: a journal's record as a JSON object, every field of every type by its name in
// docs/journal_format.md. With record_json.cpp a part of the JSON half of the journal verbs.
//
// Contract: pure. A body that is shorter than its type asks for gives {"body": hexadecimal}; a type
// of a later version too.
#pragma once

#include <nlohmann/json.hpp>

#include "devices/export/journal_names.hpp"

namespace holdfast::cli {

std::string hex(bytes_view bytes);
/// What the header and the body say; of a block not its messages.
nlohmann::ordered_json record_facts(const record_view& record, const journal_names& names);

}  // namespace holdfast::cli
