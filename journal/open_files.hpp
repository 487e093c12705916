// open_files: descriptors and maps of the journal's files by number. Files that are written stay
// open; of the others, which are only read, so many are open or mapped as are allowed, and the one
// that was used the longest time ago is closed for the next. It is opened again when it is needed.
//
// Contract: any thread; a file stays open, and its map in place, while somebody uses it. A file
// with something written and not synced is never closed: an error of its sync must not be missed.
// Where the process has no descriptor left, files that are only read are closed to get one.
#pragma once

#include <cerrno>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/storage.hpp"
#include "journal/descriptor.hpp"
#include "journal/mapping.hpp"

namespace holdfast {

class open_files {
 public:
  using handle = std::shared_ptr<descriptor>;
  /// `read_max`: files open or mapped beside those that are written.
  open_files(std::string directory, std::size_t read_max)
      : directory_(std::move(directory)), read_max_(read_max) {}

  /// Where a name of the directory is; "" is the directory.
  std::string path(std::string_view name) const;
  /// Opens a name of the directory, for whatever purpose. Not open: errno says why.
  descriptor open(const std::string& name, int flags);
  /// A file that will be made, and is written.
  file_id add(std::string name);
  /// One that is there, and is only read.
  file_id add(std::string name, descriptor file);
  void made(file_id id, descriptor file);
  /// The file could not be made: what is asked of it later fails for the same reason.
  void fail(file_id id, int error);
  /// Why get() gave nothing.
  int error(file_id id) const;
  handle get(file_id id);
  /// The same, for something that has to be synced.
  handle get_to_write(file_id id);
  void synced(file_id id);
  void keep_open(file_id id, bool on);
  std::string name(file_id id) const;
  result<buffer_ref> map(file_id id);
  /// Somebody holds a part of the file's map.
  bool map_in_use(file_id id) const;
  void remove(file_id id);

 private:
  struct entry {
    std::string name;
    handle file;
    buffer_ref map;
    int error = EBADF;      // why there is no file
    bool there = false;     // it was made, and can be opened again
    bool kept = true;       // open until keep_open() says otherwise
    bool unsynced = false;  // written since its last sync
    bool listed = false;    // in read_, at `place`
    std::list<file_id>::iterator place;
  };
  entry* find(file_id id);
  const entry* find(file_id id) const;
  struct closed {  // closed and unmapped outside the lock
    handle file;
    buffer_ref map;
  };
  closed used(file_id id, entry& of);
  closed close_oldest();

  const std::string directory_;
  const std::size_t read_max_;
  mutable std::mutex guard_;
  std::map<file_id, entry> files_;
  std::list<file_id> read_;  // open or mapped, may be closed; the last one first
  file_id last_ = 0;
};

}  // namespace holdfast
