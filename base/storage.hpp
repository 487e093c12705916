// storage: the one seam to files. Operations are submitted in order and complete in order; the
// production form runs them on threads, the simulator's on a virtual disk that can crash, tear,
// fail and fill up.
//
// Contract: one thread submits and polls. Writes and syncs form one queue in the order submitted;
// syncs of a file that follow one another in what is queued may be merged into the last (group
// commit), each still gets its result. Loads run beside that queue. Buffers of a write are held
// until its result was polled. Failure: a result carries errno; a failed sync is final for its file
// and never retried by the storage.
#pragma once

#include <cerrno>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/buffer.hpp"
#include "holdfast/status.hpp"

namespace holdfast {

/// An open file. Numbers are given by open_file()/create and never reused within one storage
/// object.
using file_id = std::uint32_t;

struct io_op {
  enum class kind : std::uint8_t { write, sync, create, rename, remove, sync_dir, load };
  kind what{};
  file_id file = 0;
  std::uint64_t at = 0;            ///< write, load: offset
  std::uint64_t size = 0;          ///< create: bytes to preallocate; load: length
  std::vector<buffer_ref> pieces;  ///< write: consecutive bytes starting at `at`
  std::string name;  ///< create, rename (from), remove: relative to the journal's directory
  std::string to;    ///< rename: new name; sync_dir: the directory ("" or "seg")
  /// load: called with what was read, where it was read, off the submitting thread; the result
  /// brings what it returns.
  std::function<buffer_ref(const buffer_ref&)> digest;
  std::uint64_t tag = 0;  ///< given back in the result
};

struct io_result {
  io_op::kind what{};
  file_id file = 0;
  std::uint64_t tag = 0;
  int error = 0;  ///< 0 or an errno value
  /// load: what was read (production: a slice of a map, or a copy). Bytes that cannot be read are
  /// zero; it is an error only if none can, or for want of descriptors, which says nothing about
  /// the file: ask again.
  buffer_ref bytes;
  std::string text{};  ///< of what failed: the file, the place in it, the reason; may be empty
};

constexpr bool want_of_descriptors(int error) noexcept {
  return error == EMFILE || error == ENFILE;
}

struct file_info {
  std::string name;  ///< relative to the journal's directory
  std::uint64_t size = 0;
};

class storage {
 public:
  virtual ~storage() = default;

  /// Moves from the ops. They may wait for the next call of any of the four that follow.
  virtual void submit(std::span<io_op> ops) = 0;
  virtual std::size_t poll(std::vector<io_result>& out) = 0;
  /// The caller would sleep now: what is small, and may be expected to be quick, it does itself
  /// instead of waking a thread.
  virtual void before_sleep() {}
  /// Waits until something can be polled. Used while opening and closing, never by a running loop.
  virtual void wait() = 0;
  /// Readable while something can be polled; to be asked for before each wait.
  virtual int wake_fd() noexcept = 0;

  /// Reserves the number under which a create op will make `name`; the file exists once that op has
  /// completed.
  virtual file_id assign(std::string_view name) = 0;
  /// Opens an existing file for reading and writing.
  virtual result<file_id> open_file(std::string_view name) = 0;
  virtual void close_file(file_id file) = 0;
  /// Off: the file will only be read, so its descriptor may be closed when there are many, and
  /// opened again. Files that were made start with on, those that were opened with off.
  virtual void keep_open(file_id, bool /*on*/) {}
  /// Bytes of the file that were handed out are still held by somebody: it must not be overwritten.
  virtual bool pinned(file_id file) const = 0;
  virtual result<std::vector<file_info>> list(std::string_view directory) = 0;  ///< "" or "seg"
  virtual status make_directory(std::string_view name) = 0;
  /// Reads now, on the calling thread: opening and tools only.
  virtual status read_now(file_id file, std::uint64_t at, std::span<std::byte> into) = 0;
  /// Offset from which on the file is space that was never written; all ones if that is unknown.
  /// Opening only.
  virtual std::uint64_t written_end(file_id file) {
    (void)file;
    return ~std::uint64_t{0};
  }
  virtual std::uint64_t free_bytes() = 0;  ///< of the file system, for the disk-full policy
};

}  // namespace holdfast
