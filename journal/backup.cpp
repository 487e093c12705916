#include "journal/backup.hpp"

#include <algorithm>

#include "journal/journal_copy.hpp"
#include "journal/lock_file.hpp"
#include "journal/reader.hpp"

namespace holdfast {
namespace {

status gather_all(journal_copy& copy, const std::string& source, unsigned tries_max) {
  for (unsigned tried = 0; tried < tries_max; ++tried) {
    auto whole = copy.gather();
    if (!whole) return whole.take_status();
    if (*whole) return {};
  }
  return {errc::full, source + ": in " + std::to_string(tries_max) +
                          " tries the device freed segments faster than they could be copied; try "
                          "when there is less load, or to a faster disk"};
}

bool same_damage(const std::vector<damage>& a, const std::vector<damage>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const damage& x, const damage& y) {
    return x.position == y.position && x.size == y.size;
  });
}

// Empty if `found` is all that `note` says.
std::string difference(const backup_note& note, const backup_outcome& found) {
  const auto differs = [](const char* what, std::uint64_t want, std::uint64_t have) {
    return "has " + std::to_string(have) + " " + what + " where its BACKUP says " +
           std::to_string(want);
  };
  const backup_note& have = found.note;
  if (have.id != note.id) return "holds another journal than its BACKUP says";
  if (have.epoch != note.epoch)
    return "was opened by a device since it was made; holdfast journal backup makes a new one of "
           "it";
  if (!found.remarks.empty()) return "has a checkpoint that cannot be read";
  if (have.checkpoint != note.checkpoint) return "does not have the checkpoint its BACKUP names";
  if (have.segments != note.segments) return differs("segments", note.segments, have.segments);
  if (!same_damage(have.totals.damaged, note.totals.damaged)) {
    for (const damage& row : have.totals.damaged)
      if (!same_damage({row}, note.totals.damaged))
        return "is damaged at position " + std::to_string(row.position) + ", " +
               std::to_string(row.size) + " bytes";
    return "is damaged in other places than its BACKUP says";
  }
  if (have.end != note.end)
    return "ends at position " + std::to_string(have.end) + ", not at " + std::to_string(note.end);
  if (have.totals.records != note.totals.records)
    return differs("records", note.totals.records, have.totals.records);
  if (have.totals.messages != note.totals.messages)
    return differs("messages", note.totals.messages, have.totals.messages);
  return {};
}

result<backup_note> read_note(const std::string& source) {
  const std::string name = source + "/" + backup_note_name;
  const tool_file file(name, tool_file::how::read);
  if (file.opened().kind() == errc::not_found)
    return {errc::not_found, source +
                                 ": is no backup (it has no file BACKUP); holdfast journal "
                                 "backup copies a journal's directory"};
  if (!file.is_open()) return file.opened();
  std::vector<std::byte> bytes(file.size());
  if (!file.read(0, bytes)) bytes.clear();
  return parse_backup_note({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, name);
}

}  // namespace

result<backup_outcome> backup_journal(const std::string& source, const std::string& target,
                                      const backup_options& options) {
  if (auto there = journal_reader::open(source); !there) return there.take_status();
  journal_copy copy(source, target, options);
  if (status begun = copy.begin(); !begun) return begun;
  if (status done = gather_all(copy, source, options.tries_max); !done) return done;
  if (status put = copy.write_out(); !put) return put;
  if (status put = copy.write_note(); !put) return put;
  if (status put = copy.put_in_place(); !put) return put;
  return copy.outcome();
}

result<backup_outcome> restore_journal(const std::string& source, const std::string& target,
                                       const backup_options& options) {
  auto note = read_note(source);
  if (!note) return note.take_status();
  if (journal_in_use(source))
    return {errc::in_use, source + ": a device has it open; holdfast journal backup copies it"};
  journal_copy copy(source, target, options);
  if (status begun = copy.begin(); !begun) return begun;
  if (status done = gather_all(copy, source, options.tries_max); !done) return done;
  if (status put = copy.write_out(); !put) return put;
  if (const std::string wrong = difference(*note, copy.outcome()); !wrong.empty())
    return {errc::corrupt, source + ": " + wrong + "; nothing was restored, use another backup"};
  if (status put = copy.put_in_place(); !put) return put;
  return copy.outcome();
}

}  // namespace holdfast
