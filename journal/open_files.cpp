#include "journal/open_files.hpp"

#include <fcntl.h>

#include <utility>

namespace holdfast {

open_files::entry* open_files::find(file_id id) {
  const auto it = files_.find(id);
  return it == files_.end() ? nullptr : &it->second;
}

const open_files::entry* open_files::find(file_id id) const {
  return const_cast<open_files*>(this)->find(id);
}

std::string open_files::path(std::string_view name) const {
  return name.empty() ? directory_ : directory_ + "/" + std::string(name);
}

descriptor open_files::open(const std::string& name, int flags) {
  const std::string where = path(name);
  for (;;) {
    descriptor opened(::open(where.c_str(), flags | O_CLOEXEC, 0644));
    if (opened.get() >= 0 || !want_of_descriptors(errno)) return opened;
    const int error = errno;
    closed oldest;
    {
      const std::lock_guard lock(guard_);
      oldest = close_oldest();
    }
    errno = error;
    if (!oldest.file && !oldest.map) return opened;
  }
}

file_id open_files::add(std::string name) {
  const std::lock_guard lock(guard_);
  files_[++last_].name = std::move(name);
  return last_;
}

file_id open_files::add(std::string name, descriptor file) {
  closed gone;
  const std::lock_guard lock(guard_);
  entry& made = files_[++last_];
  made.name = std::move(name);
  made.file = std::make_shared<descriptor>(std::move(file));
  made.there = true;
  made.kept = false;
  gone = used(last_, made);
  return last_;
}

void open_files::made(file_id id, descriptor file) {
  closed gone;
  const std::lock_guard lock(guard_);
  entry* of = find(id);
  if (!of) return;
  of->file = std::make_shared<descriptor>(std::move(file));
  of->there = true;
  gone = used(id, *of);
}

void open_files::fail(file_id id, int error) {
  const std::lock_guard lock(guard_);
  if (entry* of = find(id)) of->error = error;
}

int open_files::error(file_id id) const {
  const std::lock_guard lock(guard_);
  const entry* of = find(id);
  return of ? of->error : EBADF;
}

// Opening may take its time: outside the lock, which the loop's thread takes for small writes.
open_files::handle open_files::get(file_id id) {
  std::string name;
  closed gone;
  {
    const std::lock_guard lock(guard_);
    entry* of = find(id);
    if (!of || (!of->file && !of->there)) return nullptr;
    if (handle file = of->file) {  // in use, so it is not the one that is closed
      gone = used(id, *of);
      return file;
    }
    name = of->name;
  }
  descriptor opened = open(name, O_RDWR);
  if (opened.get() < 0 && errno == EROFS) opened = open(name, O_RDONLY);
  const int error = errno;
  const std::lock_guard lock(guard_);
  entry* of = find(id);
  if (!of) return nullptr;
  if (!of->file && opened.get() >= 0) of->file = std::make_shared<descriptor>(std::move(opened));
  if (!of->file) of->error = error;
  handle file = of->file;
  gone = used(id, *of);
  return file;
}

open_files::handle open_files::get_to_write(file_id id) {
  handle file = get(id);
  closed gone;
  const std::lock_guard lock(guard_);
  entry* of = file ? find(id) : nullptr;
  if (!of) return file;
  of->file = file;  // it may have been closed in between
  of->unsynced = true;
  gone = used(id, *of);
  return file;
}

void open_files::synced(file_id id) {
  closed gone;
  const std::lock_guard lock(guard_);
  entry* of = find(id);
  if (!of) return;
  of->unsynced = false;
  gone = used(id, *of);
}

void open_files::keep_open(file_id id, bool on) {
  closed gone;
  const std::lock_guard lock(guard_);
  entry* of = find(id);
  if (!of) return;
  of->kept = on;
  gone = used(id, *of);
}

std::string open_files::name(file_id id) const {
  const std::lock_guard lock(guard_);
  const entry* of = find(id);
  return of ? of->name : std::string();
}

result<buffer_ref> open_files::map(file_id id) {
  closed gone;
  const std::lock_guard lock(guard_);
  entry* of = find(id);
  if (!of) return {errc::io, "a view of a file that was closed"};
  if (!of->map) {
    result<buffer_ref> made = map_file(path(of->name));
    if (!made) return made;
    of->map = std::move(made).value();
  }
  const buffer_ref map = of->map;  // in use, so it stays
  gone = used(id, *of);
  return map;
}

bool open_files::map_in_use(file_id id) const {
  const std::lock_guard lock(guard_);
  const entry* of = find(id);
  return of && of->map && !of->map.unique();
}

void open_files::remove(file_id id) {
  entry gone;  // unmapped outside the lock
  const std::lock_guard lock(guard_);
  const auto it = files_.find(id);
  if (it == files_.end()) return;
  if (it->second.listed) read_.erase(it->second.place);
  gone = std::move(it->second);
  files_.erase(it);
}

// To the front of those that may be closed, if it is one of them.
open_files::closed open_files::used(file_id id, entry& of) {
  if (std::exchange(of.listed, false)) read_.erase(of.place);
  if (of.kept || of.unsynced || (!of.file && !of.map)) return {};
  read_.push_front(id);
  of.place = read_.begin();
  of.listed = true;
  return read_.size() > read_max_ ? close_oldest() : closed{};
}

// Nothing if every one of them is in use.
open_files::closed open_files::close_oldest() {
  for (auto at = read_.end(); at != read_.begin();) {
    entry& of = *find(*--at);
    if (of.map && !of.map.unique()) continue;
    if (of.file && of.file.use_count() != 1) continue;
    of.listed = false;
    read_.erase(at);
    return {std::exchange(of.file, nullptr), std::exchange(of.map, {})};
  }
  return {};
}

}  // namespace holdfast
