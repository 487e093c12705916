#include "journal/copy_target.hpp"

#include <filesystem>
#include <utility>

#include "journal/lock_file.hpp"

namespace holdfast {
namespace {

namespace fs = std::filesystem;

}  // namespace

copy_target::copy_target(std::string directory)
    : target_(std::move(directory)), work_(target_ + ".unfinished"), whole_(work_ + "/whole") {}

copy_target::~copy_target() {
  if (begun_) (void)remove_unfinished();  // what stays is cleared by the next copy to this target
}

status copy_target::begin() {
  if (journal_in_use(target_))
    return {errc::in_use, target_ + ": a device has it open; name a directory that does not exist"};
  if (!is_free(target_))
    return {errc::invalid, target_ +
                               ": is not empty, and nothing is ever overwritten; name a "
                               "directory that does not exist"};
  if (status cleared = clear_unfinished(); !cleared) return cleared;
  if (status made = make_new_directory(work_); !made) return made;
  begun_ = true;
  lock_ = tool_file(work_ + "/" + lock_file_name, tool_file::how::create);
  if (!lock_.is_open()) return lock_.opened();
  if (!lock_.lock()) return {errc::in_use, work_ + ": another process took it; start again"};
  return make_new_directory(copying());
}

// What a killed try left. One that is still at work holds the lock.
status copy_target::clear_unfinished() {
  std::error_code error;
  if (!fs::exists(work_, error)) return {};
  if (journal_in_use(work_))
    return {errc::in_use, work_ + ": another copy to this target is at work; wait for it"};
  if (!fs::exists(work_ + "/" + lock_file_name, error) && !is_free(work_))
    return {errc::invalid, work_ +
                               ": is in the way and was not left by an unfinished copy; "
                               "move it or name another target"};
  return remove_unfinished();
}

// LOCK goes last: while anything else is there it says what the directory is.
status copy_target::remove_unfinished() {
  std::error_code error;
  for (fs::directory_iterator at(work_, error), end; !error && at != end; at.increment(error))
    if (at->path().filename() != lock_file_name) fs::remove_all(at->path(), error);
  if (!error) fs::remove_all(work_, error);
  return error ? file_failure(work_, "cannot be removed", error.value()) : status{};
}

status copy_target::make_whole() {
  if (status made = make_new_directory(whole_); !made) return made;
  return make_new_directory(whole_ + "/seg");
}

status copy_target::put_in_place() {
  if (status synced = sync_directory(whole_ + "/seg"); !synced) return synced;
  if (status synced = sync_directory(whole_); !synced) return synced;
  if (status named = rename_file(whole_, target_); !named) return named;
  if (status synced = sync_directory(parent_of(target_)); !synced) return synced;
  begun_ = false;
  return remove_unfinished();
}

}  // namespace holdfast
