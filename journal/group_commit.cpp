#include "journal/group_commit.hpp"

#include <fcntl.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "base/clock.hpp"
#include "journal/io_failure.hpp"
#include "journal/positional_io.hpp"

namespace holdfast {
namespace {

// A sync may wait for a later one of the same file if only writes and such syncs lie between.
bool merges_into_later(std::span<const io_op> later, file_id file) {
  for (const io_op& op : later) {
    if (op.what == io_op::kind::write) continue;
    return op.what == io_op::kind::sync && op.file == file;
  }
  return false;
}

// Consecutive operations that continue one another, as one write.
struct run_of_writes {
  std::size_t count = 0;
  std::uint64_t end = 0;
  std::vector<iovec> parts;
};

run_of_writes first_run(std::span<const io_op> ops) {
  run_of_writes run;
  run.end = ops[0].at;
  for (; run.count < ops.size(); ++run.count) {
    const io_op& op = ops[run.count];
    if (op.what != io_op::kind::write || op.file != ops[0].file || op.at != run.end) break;
    for (const buffer_ref& piece : op.pieces) {
      run.parts.push_back({const_cast<std::byte*>(piece.data()), piece.size()});
      run.end += piece.size();
    }
  }
  return run;
}

}  // namespace

std::uint64_t bytes_in(const io_op& op) noexcept {
  std::uint64_t bytes = 0;
  for (const buffer_ref& piece : op.pieces) bytes += piece.size();
  return bytes;
}

void group_commit::run(std::span<io_op> ops, std::vector<io_result>& done, result_queue* early) {
  std::vector<io_result> merged;
  for (std::size_t at = 0; at < ops.size();) {
    const io_op& op = ops[at];
    if (op.what == io_op::kind::write) {
      at += write_run(ops.subspan(at), done);
      continue;
    }
    ++at;
    if (op.what != io_op::kind::sync) {
      done.push_back(change_directory(op));
      continue;
    }
    merged.push_back({op.what, op.file, op.tag, 0, {}});
    if (!merges_into_later(ops.subspan(at), op.file)) sync_merged(op, merged, done, early);
  }
}

bool group_commit::are_quick(std::span<const io_op> ops) const {
  std::uint64_t bytes = 0, end = 0;
  for (const io_op& op : ops) {
    bytes += bytes_in(op);
    if (op.what == io_op::kind::write) end = op.at + bytes_in(op);
    if (op.what != io_op::kind::sync) continue;
    if (!pace_.is_quick(op.file, bytes) || fresh_.due(op.file, end).size > 0) return false;
  }
  return true;
}

std::size_t group_commit::write_run(std::span<io_op> ops, std::vector<io_result>& done) {
  const open_files::handle file = files_.get_to_write(ops[0].file);
  run_of_writes run = first_run(ops);
  std::uint64_t at = ops[0].at;
  const int error = file ? write_at(file->get(), at, run.parts) : files_.error(ops[0].file);
  for (io_op& op : ops.first(run.count)) {
    done.push_back({op.what, op.file, op.tag, error, {}});
    op.pieces.clear();
  }
  pace_.wrote(ops[0].file, run.end - ops[0].at);
  fresh_.wrote(ops[0].file, run.end);
  if (error != 0) {  // the words are about what was not written
    ops[0].size = run.end - at;
    ops[0].at = at;
    done[done.size() - run.count].text = io_failure(files_, ops[0], error);
  }
  return run.count;
}

void group_commit::sync_merged(const io_op& op, std::vector<io_result>& merged,
                               std::vector<io_result>& done, result_queue* early) {
  if (early) early->push(done);
  const int error = sync(op.file);
  for (io_result& one : merged) one.error = error;
  if (error != 0) merged.front().text = io_failure(files_, op, error);
  done.insert(done.end(), merged.begin(), merged.end());
  merged.clear();
}

int group_commit::sync(file_id id) {
  const open_files::handle file = files_.get(id);
  if (!file) return files_.error(id);
  write_ahead(id, file->get());
  const std::uint64_t began = monotonic_now();
  if (::fdatasync(file->get()) != 0) return errno;
  fresh_.synced(id, pace_.is_small(id));
  pace_.synced(id, monotonic_now() - began);
  files_.synced(id);
  return 0;
}

// Zeros, where there are zeros: should they not be written, nothing is missing.
void group_commit::write_ahead(file_id id, int file) {
  const fresh_files::stretch ahead = fresh_.due(id);
  if (ahead.size == 0) return;
  static const std::array<std::byte, fresh_files::page_bytes> page{};
  std::vector<iovec> pieces;
  for (std::uint64_t left = ahead.size; left > 0; left -= pieces.back().iov_len)
    pieces.push_back(
        {const_cast<std::byte*>(page.data()), std::min<std::uint64_t>(left, page.size())});
  std::uint64_t at = ahead.at;
  if (write_at(file, at, pieces) == 0)
    fresh_.zeroed(id, ahead);
  else
    fresh_.forget(id);
}

io_result group_commit::change_directory(const io_op& op) {
  io_result outcome{op.what, op.file, op.tag, carry_out(op), {}};
  if (outcome.error == 0) return outcome;
  if (op.what == io_op::kind::create) files_.fail(op.file, outcome.error);
  outcome.text = io_failure(files_, op, outcome.error);
  return outcome;
}

int group_commit::carry_out(const io_op& op) {
  const std::string name = files_.path(op.name);
  switch (op.what) {
    case io_op::kind::create: return create(op);
    case io_op::kind::rename:
      return std::rename(name.c_str(), files_.path(op.to).c_str()) == 0 ? 0 : errno;
    case io_op::kind::remove: return ::unlink(name.c_str()) == 0 ? 0 : errno;
    case io_op::kind::sync_dir: return sync_directory(op.to);
    case io_op::kind::write:
    case io_op::kind::sync:
    case io_op::kind::load: break;
  }
  return EINVAL;
}

int group_commit::create(const io_op& op) {
  const std::string name = files_.name(op.file);
  if (name.empty()) return EBADF;
  descriptor made = files_.open(name, O_RDWR | O_CREAT | O_TRUNC);
  if (made.get() < 0) return errno;
  int error = 0;
  if (op.size != 0) error = ::posix_fallocate(made.get(), 0, static_cast<off_t>(op.size));
  if (error == 0 && ::fsync(made.get()) != 0) error = errno;
  if (error != 0) return error;
  files_.made(op.file, std::move(made));
  fresh_.made(op.file, op.size);
  return 0;
}

int group_commit::sync_directory(const std::string& name) {
  const descriptor directory = files_.open(name, O_RDONLY | O_DIRECTORY);
  if (directory.get() < 0) return errno;
  return ::fsync(directory.get()) == 0 ? 0 : errno;
}

}  // namespace holdfast
