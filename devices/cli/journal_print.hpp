// journal_print: what the journal verbs say, as text or as JSON.
//
// Contract: appends to `out`; one object a line in JSON.
#pragma once

#include <string>

#include "devices/cli/line_format.hpp"
#include "devices/export/journal_names.hpp"
#include "journal/follower.hpp"
#include "journal/reader.hpp"

namespace holdfast::cli {

void print_segments(const journal_info& info, bool json, std::string& out);
/// `tail`: what was found from the newest checkpoint on.
void print_info(const journal_info& info, const verify_summary& tail, bool json, std::string& out);
/// A good record; a block with every message it holds, written in `format`.
void print_record(const seen_record& seen, const journal_names& names, const line_format& format,
                  std::string& out);
/// What a follower met that is no record. Nothing for `record` and `idle`.
void print_followed(const followed& what, bool json, std::string& out);
void print_verdict(const journal_info& info, const verify_summary& sum, bool json,
                   std::string& out);

}  // namespace holdfast::cli
