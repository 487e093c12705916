#include "journal/file_storage.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <iterator>
#include <thread>

#include "journal/file_loader.hpp"
#include "journal/group_commit.hpp"
#include "journal/io_failure.hpp"
#include "journal/io_queues.hpp"
#include "journal/lock_file.hpp"
#include "journal/open_files.hpp"

namespace holdfast {
namespace {

/// What the caller may do itself while the commit thread is at rest writes at most so many bytes: a
/// copy of them takes about as long as to wake that thread and be woken by it.
constexpr std::size_t inline_bytes_max = 128 << 10;
/// What opening says when it gives up before it wrote anything.
constexpr const char* nothing_changed = "; nothing was changed, start again when that is possible";

/// Not so many that nothing is left for sockets and files that are written.
std::size_t read_files(std::uint32_t wanted) {
  struct rlimit descriptors {};
  if (::getrlimit(RLIMIT_NOFILE, &descriptors) != 0) return wanted;
  return std::min<std::size_t>(wanted, descriptors.rlim_cur / 4);
}

// A few small writes and syncs, and nothing else.
bool is_small(std::span<const io_op> ops) {
  std::size_t bytes = 0;
  for (const io_op& op : ops) {
    if (op.what != io_op::kind::write && op.what != io_op::kind::sync) return false;
    bytes += bytes_in(op);
  }
  return bytes <= inline_bytes_max;
}

bool has_sync(std::span<const io_op> ops) {
  return std::any_of(ops.begin(), ops.end(),
                     [](const io_op& op) { return op.what == io_op::kind::sync; });
}

class file_storage final : public storage {
 public:
  file_storage(std::string directory, descriptor lock, const file_storage_options& options)
      : lock_(std::move(lock)),
        files_(std::move(directory), read_files(options.read_files_max)),
        commit_(files_),
        loader_(files_, options.zero_copy) {
    threads_.emplace_back([this] { run_commits(); });
    for (std::uint32_t i = 0; i < std::max(options.reader_threads, 1u); ++i)
      threads_.emplace_back([this] { run_loads(); });
  }
  ~file_storage() override {
    hand_over();
    commits_.stop();
    loads_.stop();
    for (std::thread& t : threads_) t.join();
  }

  void submit(std::span<io_op> ops) override;
  std::size_t poll(std::vector<io_result>& out) override {
    hand_over();
    return results_.take(out);
  }
  void before_sleep() override;
  void wait() override {
    hand_over();
    results_.wait();
  }
  int wake_fd() noexcept override {
    hand_over();
    return results_.fd();
  }
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
  void run_commits();
  void run_loads();
  void hand_over();

  const descriptor lock_;
  open_files files_;
  op_queue commits_;
  op_queue loads_;
  result_queue results_;
  group_commit commit_;
  file_loader loader_;
  std::vector<io_op> put_off_;  // small, with a sync, and the commit thread is at rest
  std::vector<io_result> inline_done_;
  std::vector<std::thread> threads_;
};

void file_storage::submit(std::span<io_op> ops) {
  if (is_small(ops) && commits_.at_rest()) {
    if (put_off_.empty() && !has_sync(ops)) {
      commit_.run(ops, inline_done_);
      return results_.push_unsignalled(inline_done_);
    }
    // A sync waits for the end of the caller's turn: if nothing else is to do then, the caller
    // makes it (docs/adr/0016).
    if (is_small(put_off_) && commit_.are_quick(ops)) {
      put_off_.insert(put_off_.end(), std::make_move_iterator(ops.begin()),
                      std::make_move_iterator(ops.end()));
      return;
    }
  }
  hand_over();
  std::size_t at = 0;
  while (at < ops.size()) {
    const bool is_load = ops[at].what == io_op::kind::load;
    std::size_t end = at + 1;
    while (end < ops.size() && (ops[end].what == io_op::kind::load) == is_load) ++end;
    (is_load ? loads_ : commits_).push(ops.subspan(at, end - at));
    at = end;
  }
}

void file_storage::before_sleep() {
  if (put_off_.empty()) return;
  if (!is_small(put_off_) || !commit_.are_quick(put_off_)) return hand_over();
  commit_.run(put_off_, inline_done_);
  put_off_.clear();
  results_.push_unsignalled(inline_done_);
}

void file_storage::hand_over() {
  if (put_off_.empty()) return;
  commits_.push(put_off_);
  put_off_.clear();
}

void file_storage::run_commits() {
  std::vector<io_op> ops;
  std::vector<io_result> done;
  while (commits_.take(ops, ~std::size_t{0})) {
    commit_.run(ops, done, &results_);
    results_.push(done);
    ops.clear();
  }
}

void file_storage::run_loads() {
  std::vector<io_op> ops;
  std::vector<io_result> done;
  while (loads_.take(ops, 1)) {
    done.push_back(loader_.load(ops[0]));
    if (ops[0].digest && done[0].error == 0) done[0].bytes = ops[0].digest(done[0].bytes);
    results_.push(done);
    ops.clear();
  }
}

result<file_id> file_storage::open_file(std::string_view name) {
  descriptor opened = files_.open(std::string(name), O_RDWR);
  if (opened.get() < 0) {
    const int error = errno;
    return {error == ENOENT ? errc::not_found : errc::io,
            files_.path(name) + ": cannot be opened: " + system_text(error) + nothing_changed};
  }
  return files_.add(std::string(name), std::move(opened));
}

result<std::vector<file_info>> file_storage::list(std::string_view directory) {
  std::vector<file_info> found;
  std::error_code error;
  const std::string prefix = directory.empty() ? "" : std::string(directory) + "/";
  for (const auto& entry : std::filesystem::directory_iterator(files_.path(directory), error)) {
    std::error_code ignored;
    if (!entry.is_regular_file(ignored)) continue;
    found.push_back({prefix + entry.path().filename().string(), entry.file_size(ignored)});
  }
  if (error)
    return {errc::io,
            files_.path(directory) + ": cannot be listed: " + error.message() + nothing_changed};
  std::sort(found.begin(), found.end(),
            [](const file_info& a, const file_info& b) { return a.name < b.name; });
  return found;
}

status file_storage::make_directory(std::string_view name) {
  std::error_code error;
  std::filesystem::create_directories(files_.path(name), error);
  if (!error) return {};
  return {errc::io, files_.path(name) + ": cannot be made: " + error.message() + nothing_changed};
}

status file_storage::read_now(file_id id, std::uint64_t at, std::span<std::byte> into) {
  if (loader_.read(id, at, into)) return {};
  return {errc::io, files_.path(files_.name(id)) + ": " + std::to_string(into.size()) +
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
  if (::statvfs(files_.path("").c_str(), &figures) != 0) return 0;
  return static_cast<std::uint64_t>(figures.f_bavail) * figures.f_frsize;
}

}  // namespace

result<std::unique_ptr<storage>> open_file_storage(const std::string& directory,
                                                   file_storage_options options) {
  std::error_code error;
  if (options.create_directory) std::filesystem::create_directories(directory, error);
  if (error) return {errc::io, directory + ": cannot be made: " + error.message()};
  const std::string name = directory + "/" + lock_file_name;
  descriptor lock(::open(name.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (lock.get() < 0)
    return {errc::io, name + ": cannot be opened: " + system_text(errno) + nothing_changed};
  if (!lock_whole_file(lock))
    return {errc::in_use, name +
                              ": another device has this journal open; stop it or choose "
                              "another directory"};
  return std::unique_ptr<storage>(new file_storage(directory, std::move(lock), options));
}

}  // namespace holdfast
