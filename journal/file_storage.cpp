#include "journal/file_storage.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <thread>

#include "base/check.hpp"
#include "journal/io_queues.hpp"
#include "journal/open_files.hpp"

namespace holdfast {
namespace {

/// Writes of at most so many bytes are made by the caller while the commit thread is at rest.
constexpr std::size_t inline_bytes_max = 64 * 1024;
/// What opening says when it gives up before it wrote anything.
constexpr const char* nothing_changed = "; nothing was changed, start again when that is possible";

/// Not so many that nothing is left for sockets and files that are written.
std::size_t read_files(std::uint32_t wanted) {
  struct rlimit descriptors {};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return wanted;
  return std::min<std::size_t>(wanted, descriptors.rlim_cur / 4);
}

std::string system_text(int error) {
  return std::generic_category().message(error);
}

class file_storage final : public storage {
 public:
  file_storage(std::string directory, descriptor lock, const file_storage_options& options)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        zero_copy_(options.zero_copy),
        files_(directory_, read_files(options.read_files_max)) {
    threads_.emplace_back([this] { run_commits(); });
    for (std::uint32_t i = 0; i < std::max(options.reader_threads, 1u); ++i)
      threads_.emplace_back([this] { run_loads(); });
  }
  ~file_storage() override {
    commits_.stop();
    loads_.stop();
    for (std::thread& t : threads_) t.join();
  }

  void submit(std::span<io_op> ops) override;
  std::size_t poll(std::vector<io_result>& out) override { return results_.take(out); }
  void wait() override { results_.wait(); }
  int wake_fd() const noexcept override { return results_.fd(); }
  file_id assign(std::string_view name) override { return files_.add(std::string(name)); }
  result<file_id> open_file(std::string_view name) override;
  void close_file(file_id file) override { files_.remove(file); }
  void keep_open(file_id file, bool on) override { files_.keep_open(file, on); }
  bool pinned(file_id file) const override { return files_.map_in_use(file); }
  result<std::vector<file_info>> list(std::string_view directory) override;
  status make_directory(std::string_view name) override;
  status read_now(file_id file, std::uint64_t at, std::span<std::byte> into) override;
  std::uint64_t written_end(file_id file) override;
  std::uint64_t free_bytes() override;

 private:
  std::string path(std::string_view name) const {
    return name.empty() ? directory_ : directory_ + "/" + std::string(name);
  }
  void run_commits();
  void run_loads();
  bool small_writes(std::span<const io_op> ops) const;
  void run_batch(std::span<io_op> ops, std::vector<io_result>& done);
  std::size_t write_run(std::span<io_op> ops, std::vector<io_result>& done);
  bool merges_into_later(std::span<const io_op> later, file_id file) const;
  int sync(file_id file);
  int create(const io_op& op);
  int sync_directory(const std::string& name);
  io_result load(const io_op& op);
  int bring_in(const io_op& op, const buffer_ref& map);
  bool read_what_can_be(const io_op& op, std::span<std::byte> into);
  int run_name(const io_op& op);
  std::string what_failed(const io_op& op, int error) const;

  const std::string directory_;
  descriptor lock_;
  const bool zero_copy_;
  open_files files_;
  op_queue commits_;
  op_queue loads_;
  result_queue results_;
  std::vector<io_result> inline_done_;
  std::vector<std::thread> threads_;
};

/// A few small writes and nothing else.
bool file_storage::small_writes(std::span<const io_op> ops) const {
  std::size_t bytes = 0;
  for (const io_op& op : ops) {
    if (op.what != io_op::kind::write) return false;
    for (const buffer_ref& piece : op.pieces) bytes += piece.size();
  }
  return bytes <= inline_bytes_max;
}

void file_storage::submit(std::span<io_op> ops) {
  if (small_writes(ops) && commits_.at_rest()) {
    run_batch(ops, inline_done_);
    return results_.push(inline_done_);
  }
  std::size_t at = 0;
  while (at < ops.size()) {
    const bool is_load = ops[at].what == io_op::kind::load;
    std::size_t end = at + 1;
    while (end < ops.size() && (ops[end].what == io_op::kind::load) == is_load) ++end;
    (is_load ? loads_ : commits_).push(ops.subspan(at, end - at));
    at = end;
  }
}

void file_storage::run_commits() {
  std::vector<io_op> ops;
  std::vector<io_result> done;
  while (commits_.take(ops, ~std::size_t{0})) {
    run_batch(ops, done);
    results_.push(done);
    ops.clear();
  }
}

void file_storage::run_loads() {
  std::vector<io_op> ops;
  std::vector<io_result> done;
  while (loads_.take(ops, 1)) {
    done.push_back(load(ops[0]));
    if (ops[0].digest && done[0].error == 0) done[0].bytes = ops[0].digest(done[0].bytes);
    results_.push(done);
    ops.clear();
  }
}

// A sync may wait for a later one of the same file if only writes and such syncs lie between.
bool file_storage::merges_into_later(std::span<const io_op> later, file_id file) const {
  for (const io_op& op : later) {
    if (op.what == io_op::kind::write) continue;
    return op.what == io_op::kind::sync && op.file == file;
  }
  return false;
}

void file_storage::run_batch(std::span<io_op> ops, std::vector<io_result>& done) {
  std::vector<io_result> merged;
  for (std::size_t at = 0; at < ops.size();) {
    io_op& op = ops[at];
    if (op.what == io_op::kind::write) {
      at += write_run(ops.subspan(at), done);
      continue;
    }
    ++at;
    io_result outcome{op.what, op.file, op.tag, 0, {}};
    if (op.what == io_op::kind::sync) {
      merged.push_back(outcome);
      if (merges_into_later(ops.subspan(at), op.file)) continue;
      results_.push(done);  // who waits for `written` need not wait for the sync
      const int error = sync(op.file);
      for (io_result& one : merged) one.error = error;
      if (error != 0) merged.front().text = what_failed(op, error);
      done.insert(done.end(), merged.begin(), merged.end());
      merged.clear();
      continue;
    }
    outcome.error = run_name(op);
    if (outcome.error != 0 && op.what == io_op::kind::create) files_.fail(op.file, outcome.error);
    if (outcome.error != 0) outcome.text = what_failed(op, outcome.error);
    done.push_back(std::move(outcome));
  }
}

// An error in words: the file, the place, the reason.
std::string file_storage::what_failed(const io_op& op, int error) const {
  const std::string file = path(files_.name(op.file)) + ": ";
  const std::string at = std::to_string(op.size) + " bytes at offset " + std::to_string(op.at);
  const std::string why = ": " + system_text(error);
  switch (op.what) {
    case io_op::kind::write: return file + at + " cannot be written" + why;
    case io_op::kind::sync: return file + "cannot be flushed to the disk" + why;
    case io_op::kind::create: return file + std::to_string(op.size) + " bytes cannot be made" + why;
    case io_op::kind::rename: return path(op.name) + ": cannot be named " + op.to + why;
    case io_op::kind::remove: return path(op.name) + ": cannot be removed" + why;
    case io_op::kind::sync_dir: return path(op.to) + ": cannot be flushed to the disk" + why;
    case io_op::kind::load: break;
  }
  return file + at + " cannot be read" + why;
}

int file_storage::run_name(const io_op& op) {
  switch (op.what) {
    case io_op::kind::create: return create(op);
    case io_op::kind::rename:
      return ::rename(path(op.name).c_str(), path(op.to).c_str()) == 0 ? 0 : errno;
    case io_op::kind::remove: return ::unlink(path(op.name).c_str()) == 0 ? 0 : errno;
    case io_op::kind::sync_dir: return sync_directory(op.to);
    case io_op::kind::write:
    case io_op::kind::sync:
    case io_op::kind::load: break;
  }
  return EINVAL;
}

// Writes consecutive operations that continue one another with as few calls as possible.
std::size_t file_storage::write_run(std::span<io_op> ops, std::vector<io_result>& done) {
  const open_files::handle file = files_.get_to_write(ops[0].file);
  std::vector<iovec> parts;
  std::uint64_t end = ops[0].at;
  std::size_t count = 0;
  for (; count < ops.size(); ++count) {
    const io_op& op = ops[count];
    if (op.what != io_op::kind::write || op.file != ops[0].file || op.at != end) break;
    for (const buffer_ref& piece : op.pieces) {
      parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
      end += piece.size();
    }
  }
  int error = file ? 0 : files_.error(ops[0].file);
  auto at = static_cast<off_t>(ops[0].at);
  for (std::size_t from = 0; error == 0 && from < parts.size();) {
    const auto many = static_cast<int>(std::min<std::size_t>(parts.size() - from, IOV_MAX));
    const ssize_t put = ::pwritev(file->get(), &parts[from], many, at);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) error = errno;
    if (put == 0) error = EIO;
    if (error != 0) break;
    at += put;
    auto left = static_cast<std::size_t>(put);
    while (from < parts.size() && left >= parts[from].iov_len) left -= parts[from++].iov_len;
    if (left == 0) continue;
    parts[from].iov_base = static_cast<char*>(parts[from].iov_base) + left;
    parts[from].iov_len -= left;
  }
  for (std::size_t i = 0; i < count; ++i) {
    done.push_back({ops[i].what, ops[i].file, ops[i].tag, error, {}});
    ops[i].pieces.clear();
  }
  if (error != 0) {
    ops[0].size = end - static_cast<std::uint64_t>(at);
    ops[0].at = static_cast<std::uint64_t>(at);
    done[done.size() - count].text = what_failed(ops[0], error);
  }
  return count;
}

int file_storage::sync(file_id id) {
  const open_files::handle file = files_.get(id);
  if (!file) return files_.error(id);
  if (::fdatasync(file->get()) != 0) return errno;
  files_.synced(id);
  return 0;
}

int file_storage::create(const io_op& op) {
  const std::string name = files_.name(op.file);
  if (name.empty()) return EBADF;
  descriptor made = files_.open(name, O_RDWR | O_CREAT | O_TRUNC);
  if (made.get() < 0) return errno;
  int error = 0;
  if (op.size != 0) error = ::posix_fallocate(made.get(), 0, static_cast<off_t>(op.size));
  if (error == 0 && ::fsync(made.get()) != 0) error = errno;
  if (error != 0) return error;
  files_.made(op.file, std::move(made));
  return 0;
}

int file_storage::sync_directory(const std::string& name) {
  const descriptor directory = files_.open(name, O_RDONLY | O_DIRECTORY);
  if (directory.get() < 0) return errno;
  return ::fsync(directory.get()) == 0 ? 0 : errno;
}

io_result file_storage::load(const io_op& op) {
  io_result done{op.what, op.file, op.tag, 0, {}};
  if (zero_copy_) {
    result<buffer_ref> map = files_.map(op.file);
    if (map.ok() && op.at + op.size <= map->size() && bring_in(op, *map) == 0) {
      done.bytes = map->slice(op.at, op.size);
      return done;
    }
  }
  const int error = files_.get(op.file) ? 0 : files_.error(op.file);
  if (want_of_descriptors(error)) {
    done.error = error;
    done.text = what_failed(op, error);
    return done;
  }
  auto* copy = new slab(op.size);
  copy->set_size(op.size);
  done.bytes = buffer_ref(copy);
  const std::span<std::byte> into(copy->data(), op.size);
  if (read_now(op.file, op.at, into)) return done;
  if (!read_what_can_be(op, into)) done.error = EIO;
  done.text = what_failed(op, EIO);
  return done;
}

// A sector that cannot be read costs what lies on its page, not all that was asked for.
bool file_storage::read_what_can_be(const io_op& op, std::span<std::byte> into) {
  constexpr std::uint64_t page = 4096;
  bool some = false;
  for (std::uint64_t at = op.at; at < op.at + op.size;) {
    const std::uint64_t end = std::min((at / page + 1) * page, op.at + op.size);
    const std::span<std::byte> part = into.subspan(at - op.at, end - at);
    std::fill(part.begin(), part.end(), std::byte{0});
    const open_files::handle file = files_.get(op.file);
    // The last page of a file cut short is read up to its end.
    some |= file && ::pread(file->get(), part.data(), part.size(), static_cast<off_t>(at)) > 0;
    at = end;
  }
  return some;
}

// Brings the pages in and into the map. An error comes back as an error, never as a signal.
int file_storage::bring_in(const io_op& op, const buffer_ref& map) {
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  const std::uint64_t from = op.at / page * page;
  auto* address = const_cast<std::byte*>(map.data()) + from;
  const std::size_t size = op.at + op.size - from;
#ifdef MADV_POPULATE_READ
  if (::madvise(address, size, MADV_POPULATE_READ) == 0) return 0;
  if (errno != EINVAL && errno != ENOSYS) return errno;
#endif
  // Before Linux 5.14: read through the descriptor, which fills the page cache and can fail.
  std::vector<std::byte> scratch(256 << 10);
  for (std::uint64_t at = from; at < from + size; at += scratch.size()) {
    const std::size_t part = std::min<std::uint64_t>(scratch.size(), from + size - at);
    if (!read_now(op.file, at, {scratch.data(), part})) return EIO;
  }
  return 0;
}

result<file_id> file_storage::open_file(std::string_view name) {
  descriptor opened = files_.open(std::string(name), O_RDWR);
  if (opened.get() < 0) {
    const int error = errno;
    return {error == ENOENT ? errc::not_found : errc::io,
            path(name) + ": cannot be opened: " + system_text(error) + nothing_changed};
  }
  return files_.add(std::string(name), std::move(opened));
}

result<std::vector<file_info>> file_storage::list(std::string_view directory) {
  std::vector<file_info> found;
  std::error_code error;
  const std::string prefix = directory.empty() ? "" : std::string(directory) + "/";
  for (const auto& entry : std::filesystem::directory_iterator(path(directory), error)) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored)) continue;
    found.push_back({prefix + entry.path().filename().string(), entry.file_size(ignored)});
  }
  if (error)
    return {errc::io, path(directory) + ": cannot be listed: " + error.message() + nothing_changed};
  std::sort(found.begin(), found.end(),
            [](const file_info& a, const file_info& b) { return a.name < b.name; });
  return found;
}

status file_storage::make_directory(std::string_view name) {
  std::error_code error;
  std::filesystem::create_directories(path(name), error);
  if (!error) return {};
  return {errc::io, path(name) + ": cannot be made: " + error.message() + nothing_changed};
}

status file_storage::read_now(file_id id, std::uint64_t at, std::span<std::byte> into) {
  const open_files::handle file = files_.get(id);
  std::size_t done = 0;
  while (file && done < into.size()) {
    const ssize_t got =
        ::pread(file->get(), into.data() + done, into.size() - done, static_cast<off_t>(at + done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  if (file && done == into.size()) return {};
  return {errc::io, path(files_.name(id)) + ": " + std::to_string(into.size()) +
                        " bytes at offset " + std::to_string(at) + " cannot be read"};
}

// Preallocated space that was not written yet counts as a hole.
std::uint64_t file_storage::written_end(file_id id) {
  const open_files::handle file = files_.get(id);
  off_t end = 0;
  while (file) {
    const off_t data = ::lseek(file->get(), end, SEEK_DATA);
    if (data < 0 && errno == ENXIO) return static_cast<std::uint64_t>(end);
    if (data >= 0) end = ::lseek(file->get(), data, SEEK_HOLE);
    if (data < 0 || end < 0) break;
  }
  return ~std::uint64_t{0};
}

std::uint64_t file_storage::free_bytes() {
  struct statvfs figures {};
  if (::statvfs(directory_.c_str(), &figures) != 0) return 0;
  return static_cast<std::uint64_t>(figures.f_bavail) * figures.f_frsize;
}

}  // namespace

result<std::unique_ptr<storage>> open_file_storage(const std::string& directory,
                                                   file_storage_options options) {
  std::error_code error;
  if (options.create_directory) std::filesystem::create_directories(directory, error);
  if (error) return {errc::io, directory + ": cannot be made: " + error.message()};
  const std::string name = directory + "/LOCK";
  descriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.get() < 0)
    return {errc::io, name + ": cannot be opened: " + system_text(errno) + nothing_changed};
  // Of the open file, not of the process: it holds against a second device in this process too, and
  // closing another descriptor does not drop it.
  struct flock whole {};
  whole.l_type = F_WRLCK;
  whole.l_whence = SEEK_SET;
  if (::fcntl(lock.get(), F_OFD_SETLK, &whole) != 0)
    return {errc::in_use, name +
                              ": another device has this journal open; stop it or choose "
                              "another directory"};
  return std::unique_ptr<storage>(new file_storage(directory, std::move(lock), options));
}

bytes16_id system_boot_id() {
  std::ifstream in("/proc/sys/kernel/random/boot_id");
  std::string text;
  std::getline(in, text);
  std::erase(text, '-');
  bytes16_id id{};
  for (std::size_t i = 0; i < id.size() && 2 * i + 1 < text.size(); ++i)
    id[i] = static_cast<std::byte>(std::stoul(text.substr(2 * i, 2), nullptr, 16));
  return id;
}

}  // namespace holdfast
