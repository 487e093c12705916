#include "sim/virtual_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/check.hpp"
#include "base/checksum.hpp"

namespace holdfast {
namespace {

constexpr std::size_t settling_syncs = 16;

std::string directory_of(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

}  // namespace

// One run's view of the disk: file numbers, queue of results.
class virtual_disk::mounted final : public storage {
 public:
  explicit mounted(virtual_disk& on) : disk_(&on) {}
  ~mounted() override {
    if (disk_) disk_->current_ = nullptr;
  }
  void die() noexcept { disk_ = nullptr; }
  virtual_file* find(file_id file) const {
    const auto it = files_.find(file);
    return it == files_.end() || !it->second.where ? nullptr : it->second.where.get();
  }
  void bind(file_id file, file_ref where) { files_[file].where = std::move(where); }
  const std::string& name_of(file_id file) { return files_[file].name; }
  void report(const io_op& op, int error) {
    results_.push_back({op.what, op.file, op.tag, error, {}});
    if (op.what == io_op::kind::load && error == 0) read(op, results_.back());
  }

  void submit(std::span<io_op> ops) override {
    if (!disk_) return;
    for (io_op& op : ops) disk_->queue_.push_back(std::move(op));
  }
  std::size_t poll(std::vector<io_result>& out) override {
    if (disk_ && disk_->options_.auto_complete) disk_->step(~std::size_t{0});
    const std::size_t count = results_.size();
    out.insert(out.end(), results_.begin(), results_.end());
    results_.clear();
    return count;
  }
  void wait() override {
    if (disk_ && results_.empty()) disk_->step(1);
  }
  int wake_fd() noexcept override { return -1; }

  file_id assign(std::string_view name) override {
    files_[++last_file_].name = name;
    return last_file_;
  }
  result<file_id> open_file(std::string_view name) override {
    if (!disk_) return {errc::closed, "the virtual disk crashed"};
    if (const int error = call()) return {errc::io, failed(name, error)};
    const auto it = disk_->names_.find(std::string(name));
    if (it == disk_->names_.end()) return {errc::not_found, std::string(name) + ": no such file"};
    const file_id file = assign(name);
    bind(file, it->second);
    return file;
  }
  void close_file(file_id file) override { files_.erase(file); }
  bool pinned(file_id) const override { return false; }  // what is loaded is a copy
  result<std::vector<file_info>> list(std::string_view directory) override {
    std::vector<file_info> found;
    if (!disk_) return found;
    if (const int error = call()) return {errc::io, failed(directory, error)};
    for (const auto& [name, where] : disk_->names_)
      if (directory_of(name) == directory) found.push_back({name, where->bytes().size()});
    return found;
  }
  status make_directory(std::string_view name) override {
    const int error = disk_ ? call() : 0;
    return error == 0 ? status{} : status{errc::io, failed(name, error)};
  }
  status read_now(file_id file, std::uint64_t at, std::span<std::byte> into) override {
    const virtual_file* where = disk_ ? find(file) : nullptr;
    if (!where) return {errc::io, "read of a file that is not there"};
    if (const int error = call()) return {errc::io, failed(name_of(file), error)};
    const std::vector<std::byte>& bytes = where->bytes();
    if (at < bytes.size())
      std::memcpy(into.data(), bytes.data() + at, std::min(into.size(), bytes.size() - at));
    if (at + into.size() <= bytes.size()) return {};
    return {errc::io, name_of(file) + ": read beyond its end"};
  }
  std::uint64_t free_bytes() override {
    if (!disk_) return 0;
    const std::uint64_t used = disk_->used_bytes();
    return used < disk_->options_.capacity ? disk_->options_.capacity - used : 0;
  }

 private:
  int call() const noexcept {
    ++disk_->calls_;
    return disk_->call_failure_.hit();
  }
  static std::string failed(std::string_view name, int error) {
    return (name.empty() ? "the directory" : std::string(name)) + ": " + std::strerror(error);
  }
  void read(const io_op& op, io_result& into) const {
    const virtual_file* where = find(op.file);
    if (!where || op.at >= where->bytes().size()) {
      into.error = EIO;
      return;
    }
    auto* made = new slab(op.size);
    const std::uint64_t there = std::min(op.size, where->bytes().size() - op.at);
    std::memcpy(made->data(), where->bytes().data() + op.at, there);
    std::memset(made->data() + there, 0, op.size - there);  // behind the end of the file
    made->set_size(op.size);
    into.bytes = buffer_ref(made);
    if (op.digest) into.bytes = op.digest(into.bytes);
  }
  struct open_node {
    std::string name;
    file_ref where;
  };
  virtual_disk* disk_;
  std::map<file_id, open_node> files_;
  std::vector<io_result> results_;
  file_id last_file_ = 0;
};

virtual_disk::virtual_disk(virtual_disk_options options)
    : options_(options), random_(options.seed) {}

virtual_disk::~virtual_disk() {
  if (current_) current_->die();
}

std::unique_ptr<storage> virtual_disk::mount() {
  if (current_) current_->die();
  queue_.clear();
  auto made = std::make_unique<mounted>(*this);
  current_ = made.get();
  return made;
}

std::size_t virtual_disk::waiting() const noexcept {
  return queue_.size();
}

std::size_t virtual_disk::step(std::size_t count) {
  std::size_t done = 0;
  for (; done < count && current_; ++done) {
    const auto next = std::find_if(queue_.begin(), queue_.end(), [this](const io_op& op) {
      return !loads_held_ || op.what != io_op::kind::load;
    });
    if (next == queue_.end()) break;
    io_op op = std::move(*next);
    queue_.erase(next);
    const int error = run(op);
    if (watcher_) watcher_(op);
    current_->report(op, error);
  }
  return done;
}

void virtual_disk::fail(io_op::kind what, std::uint64_t nth, int error) {
  failures_[what] = {nth, error};
}

void virtual_disk::fail_always(io_op::kind what, int error) {
  failures_[what] = {error != 0 ? 1u : 0u, error, true};
}

void virtual_disk::fail_operation(std::uint64_t nth, int error, bool for_good) {
  operation_failure_ = {nth, error, for_good};
}

int virtual_disk::planned_failure(io_op::kind what) noexcept {
  const int of_kind = failures_[what].hit();
  const int of_any = operation_failure_.hit();
  return of_kind != 0 ? of_kind : of_any;
}

int virtual_disk::run(io_op& op) {
  ++operations_;
  const int failure = planned_failure(op.what);
  switch (op.what) {
    case io_op::kind::write:
      if (failure == 0) return run_write(op, ~std::uint64_t{0});
      run_write(op, random_.below(4096));  // a failed write may have put down a part
      return failure;
    case io_op::kind::sync: return run_sync(op.file, failure);
    case io_op::kind::create: return failure != 0 ? failure : run_create(op);
    case io_op::kind::load: return failure;
    case io_op::kind::rename:
    case io_op::kind::remove:
    case io_op::kind::sync_dir: return failure != 0 ? failure : run_names(op);
  }
  return EINVAL;
}

int virtual_disk::run_write(const io_op& op, std::uint64_t limit) {
  virtual_file* where = current_->find(op.file);
  if (!where) return EBADF;
  std::uint64_t size = 0;
  for (const buffer_ref& piece : op.pieces) size += piece.size();
  const std::uint64_t end = op.at + std::min(size, limit);
  const std::uint64_t had = where->bytes().size();
  if (end > had && used_bytes() + end - had > options_.capacity) return ENOSPC;
  std::uint64_t at = op.at;
  for (const buffer_ref& piece : op.pieces) {
    const std::uint64_t part = std::min<std::uint64_t>(piece.size(), limit);
    where->write(at, piece.bytes().first(part), operations_);
    at += part;
    limit -= part;
  }
  return 0;
}

bool virtual_disk::left_out(io_op::kind what, const std::string& name) const {
  return options_.sync_lies || (left_out_ && left_out_(what, name));
}

int virtual_disk::run_sync(file_id file, int failure) {
  virtual_file* where = current_->find(file);
  if (!where) return EBADF;
  ++syncs_;
  synced_at_.push_back(operations_);
  if (synced_at_.size() > settling_syncs) synced_at_.pop_front();
  if (failure != 0)
    where->failed_sync([this](std::uint64_t) { return random_.chance(50); });
  else if (!left_out(io_op::kind::sync, current_->name_of(file)))
    where->sync();
  return failure;
}

int virtual_disk::run_create(const io_op& op) {
  const std::string& name = current_->name_of(op.file);
  if (used_bytes() + op.size > options_.capacity) return ENOSPC;
  auto made = std::make_shared<virtual_file>(op.size);
  names_[name] = made;
  current_->bind(op.file, made);
  return 0;
}

int virtual_disk::run_names(const io_op& op) {
  if (op.what == io_op::kind::sync_dir) {
    if (!left_out(op.what, op.to)) sync_directory(op.to);
    return 0;
  }
  const auto from = names_.find(op.name);
  if (from == names_.end()) return ENOENT;
  if (op.what == io_op::kind::rename) names_[op.to] = from->second;
  names_.erase(op.name);
  return 0;
}

void virtual_disk::sync_directory(const std::string& directory) {
  std::erase_if(durable_names_, [&](const auto& e) { return directory_of(e.first) == directory; });
  for (const auto& [name, where] : names_)
    if (directory_of(name) == directory) durable_names_[name] = where;
}

void virtual_disk::crash(crash_mode mode) {
  failures_.clear();
  operation_failure_ = call_failure_ = {};
  if (current_ && !queue_.empty()) {
    for (std::uint64_t more = random_.below(queue_.size() + 1); more != 0; --more) {
      run(queue_.front());
      queue_.pop_front();
    }
    if (!queue_.empty() && queue_.front().what == io_op::kind::write)
      run_write(queue_.front(), random_.below(2048));
  }
  queue_.clear();
  if (current_) current_->die();
  current_ = nullptr;
  if (mode == crash_mode::power) lose_power();
}

// Each name and sector for itself; names first, as they decide which files are there.
void virtual_disk::lose_power() {
  std::vector<int> kept;
  for (const loose_end& end : loose_ends()) {
    const bool mixed = !end.is_name && random_.chance(options_.mixed_sector_percent);
    const int part = static_cast<int>(random_.below(virtual_file::sector));
    kept.push_back(mixed ? -part : random_.chance(50) ? 512 : 0);
  }
  random_source growth(random_.next());
  leave(kept, growth);
}

std::vector<loose_end> virtual_disk::changed_names() const {
  std::vector<loose_end> ends;
  const auto add = [&](const file_names& in, const file_names& other, bool first) {
    for (const auto& [name, where] : in) {
      const auto twin = other.find(name);
      if (twin == other.end() || (first && twin->second != where)) ends.push_back({name, true});
    }
  };
  add(names_, durable_names_, true);
  add(durable_names_, names_, false);
  return ends;
}

std::vector<loose_end> virtual_disk::loose_ends() const {
  std::vector<loose_end> ends = changed_names();
  std::set<virtual_file*> seen;
  const auto add = [&](const file_names& files) {
    for (const auto& [name, where] : files) {
      if (!seen.insert(where.get()).second) continue;
      for (const auto& [s, was] : where->pending())
        if (!was.lost && where->differs(s))
          ends.push_back({name, false, s, was.order, where.get()});
    }
  };
  add(names_);
  add(durable_names_);
  return ends;
}

std::unique_ptr<virtual_disk> virtual_disk::copy(std::uint64_t seed, copies& made) const {
  virtual_disk_options options = options_;
  options.seed = seed;
  auto twin = std::make_unique<virtual_disk>(options);
  twin->left_out_ = left_out_;
  twin->operations_ = operations_;
  twin->synced_at_ = synced_at_;
  const auto copy_names = [&](const file_names& from, file_names& to) {
    for (const auto& [name, where] : from) {
      file_ref& file = made[where.get()];
      if (!file) file = std::make_shared<virtual_file>(*where);
      to[name] = file;
    }
  };
  copy_names(names_, twin->names_);
  copy_names(durable_names_, twin->durable_names_);
  return twin;
}

std::unique_ptr<virtual_disk> virtual_disk::clone(std::uint64_t seed) const {
  copies made;
  return copy(seed, made);
}

std::unique_ptr<virtual_disk> virtual_disk::killed(std::uint64_t bytes, std::uint64_t seed) const {
  copies made;
  auto twin = copy(seed, made);
  if (!current_ || queue_.empty() || queue_.front().what != io_op::kind::write) return twin;
  const io_op& op = queue_.front();
  const auto file = made.find(current_->find(op.file));
  std::uint64_t at = op.at;
  for (const buffer_ref& piece : op.pieces) {
    if (file == made.end()) break;
    const std::uint64_t part = std::min<std::uint64_t>(piece.size(), bytes);
    file->second->write(at, piece.bytes().first(part), operations_ + 1);
    at += part;
    bytes -= part;
  }
  return twin;
}

std::unique_ptr<virtual_disk> virtual_disk::without_power(std::span<const int> kept,
                                                          std::uint64_t seed) const {
  auto twin = clone(seed);
  twin->leave(kept, twin->random_);
  return twin;
}

/// Becomes what a power failure leaves of it.
void virtual_disk::leave(std::span<const int> kept, random_source& growth) {
  const std::vector<loose_end> ends = loose_ends();
  check(kept.size() == ends.size(), "one word for every loose end");
  file_names left = durable_names_;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (ends[i].is_name) {
      if (kept[i] == 0) continue;
      const auto now = names_.find(ends[i].name);
      if (now == names_.end())
        left.erase(ends[i].name);
      else
        left[ends[i].name] = now->second;
    } else {
      ends[i].file->resolve(ends[i].sector, kept[i]);
    }
  }
  for (const auto& [name, file] : left) {
    while (!file->pending().empty()) file->resolve(file->pending().begin()->first, 0);
    file->settle_size(growth.chance(50));
  }
  names_ = left;
  durable_names_ = std::move(left);
}

std::vector<std::string> virtual_disk::names() const {
  std::vector<std::string> all;
  for (const auto& [name, where] : names_) all.push_back(name);
  return all;
}

const std::vector<std::byte>& virtual_disk::content(const std::string& name) const {
  static const std::vector<std::byte> none;
  const auto it = names_.find(name);
  return it == names_.end() ? none : it->second->bytes();
}

void virtual_disk::damage(const std::string& name, std::uint64_t at,
                          std::span<const std::byte> bytes) {
  const auto it = names_.find(name);
  check(it != names_.end() && at + bytes.size() <= it->second->bytes().size(),
        "damage inside a file");
  it->second->damage(at, bytes);
}

bool virtual_disk::settled(const std::string& name, std::uint64_t at, std::uint64_t size) const {
  const auto it = names_.find(name);
  if (it == names_.end() || synced_at_.size() < settling_syncs) return false;
  const virtual_file& file = *it->second;
  for (std::uint64_t s = at / virtual_file::sector; s * virtual_file::sector < at + size; ++s)
    if (file.pending().contains(s) || file.last_write(s) > synced_at_.front()) return false;
  return true;
}

void virtual_disk::truncate(const std::string& name, std::uint64_t size) {
  const auto it = names_.find(name);
  check(it != names_.end(), "a file that is there is truncated");
  it->second->truncate(size);
}

void virtual_disk::remove_file(const std::string& name) {
  names_.erase(name);
  durable_names_.erase(name);
}

std::uint64_t virtual_disk::fingerprint() const {
  std::uint64_t sum = 0;
  for (const auto& [name, where] : names_) {
    sum = checksum(std::as_bytes(std::span(name)), sum);
    sum = checksum(where->bytes(), sum + where->bytes().size());
  }
  return sum;
}

std::uint64_t virtual_disk::used_bytes() const noexcept {
  std::uint64_t used = 0;
  for (const auto& [name, where] : names_) used += where->bytes().size();
  return used;
}

}  // namespace holdfast
