#include "sim/virtual_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <set>

#include "base/check.hpp"

namespace holdfast {
namespace {

constexpr std::uint64_t sector = 512;

std::string directory_of(const std::string& name) {
  const std::size_t slash = name.rfind('/');
  return slash == std::string::npos ? std::string() : name.substr(0, slash);
}

}  // namespace

struct virtual_disk::node {
  std::vector<std::byte> now;
  std::vector<std::byte> durable;
  std::set<std::uint64_t> dirty;  // sectors written since the last sync

  void write(std::uint64_t at, bytes_view bytes) {
    if (bytes.empty()) return;
    if (now.size() < at + bytes.size()) now.resize(at + bytes.size());
    std::memcpy(now.data() + at, bytes.data(), bytes.size());
    for (std::uint64_t s = at / sector; s <= (at + bytes.size() - 1) / sector; ++s) dirty.insert(s);
  }
  void take_sector(std::uint64_t s, std::size_t from, std::size_t to) {
    const std::size_t at = s * sector;
    if (durable.size() < now.size()) durable.resize(now.size());
    const std::size_t end = std::min<std::size_t>(at + to, now.size());
    if (at + from < end) std::copy(&now[at + from], now.data() + end, &durable[at + from]);
  }
  void sync() {
    durable.resize(now.size());
    for (const std::uint64_t s : dirty) take_sector(s, 0, sector);
    dirty.clear();
  }
};

// One run's view of the disk: file numbers, queue of results.
class virtual_disk::mounted final : public storage {
 public:
  explicit mounted(virtual_disk& on) : disk_(&on) {}
  ~mounted() override {
    if (disk_) disk_->current_ = nullptr;
  }
  void die() noexcept { disk_ = nullptr; }
  node* find(file_id file) const {
    const auto it = files_.find(file);
    return it == files_.end() || !it->second.where ? nullptr : it->second.where.get();
  }
  void bind(file_id file, node_ref where) { files_[file].where = std::move(where); }
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
  int wake_fd() const noexcept override { return -1; }

  file_id assign(std::string_view name) override {
    files_[++last_file_].name = name;
    return last_file_;
  }
  result<file_id> open_file(std::string_view name) override {
    if (!disk_) return {errc::closed, "the virtual disk crashed"};
    const auto it = disk_->names_.find(std::string(name));
    if (it == disk_->names_.end()) return {errc::not_found, std::string(name) + ": no such file"};
    const file_id file = assign(name);
    bind(file, it->second);
    return file;
  }
  void close_file(file_id file) override { files_.erase(file); }
  result<std::vector<file_info>> list(std::string_view directory) override {
    std::vector<file_info> found;
    if (!disk_) return found;
    for (const auto& [name, where] : disk_->names_)
      if (directory_of(name) == directory) found.push_back({name, where->now.size()});
    return found;
  }
  status make_directory(std::string_view) override { return {}; }
  status read_now(file_id file, std::uint64_t at, std::span<std::byte> into) override {
    const node* where = disk_ ? find(file) : nullptr;
    if (!where) return {errc::io, "read of a file that is not there"};
    std::fill(into.begin(), into.end(), std::byte{0});
    if (at >= where->now.size()) return {errc::io, "read beyond the end of a file"};
    const std::size_t size = std::min<std::size_t>(into.size(), where->now.size() - at);
    std::memcpy(into.data(), where->now.data() + at, size);
    return size == into.size() ? status{} : status{errc::io, "read beyond the end of a file"};
  }
  std::uint64_t free_bytes() override {
    if (!disk_) return 0;
    const std::uint64_t used = disk_->used_bytes();
    return used < disk_->options_.capacity ? disk_->options_.capacity - used : 0;
  }

 private:
  void read(const io_op& op, io_result& into) const {
    const node* where = find(op.file);
    if (where && op.at + op.size <= where->now.size())
      into.bytes = copy_to_buffer({where->now.data() + op.at, op.size});
    else
      into.error = EIO;
  }
  struct open_node {
    std::string name;
    node_ref where;
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
  for (; done < count && current_ && !queue_.empty(); ++done) {
    io_op op = std::move(queue_.front());
    queue_.pop_front();
    const int error = run(op);
    current_->report(op, error);
  }
  return done;
}

int virtual_disk::run(io_op& op) {
  switch (op.what) {
    case io_op::kind::write: {
      const int error = write_failure_.hit();
      if (error == 0) return run_write(op, ~std::uint64_t{0});
      run_write(op, random_.below(4096));  // a failed write may have put down a part
      return error;
    }
    case io_op::kind::sync: return run_sync(op.file);
    case io_op::kind::create: return run_create(op);
    case io_op::kind::load: return load_failure_.hit();
    case io_op::kind::rename:
    case io_op::kind::remove:
    case io_op::kind::sync_dir: return run_names(op);
  }
  return EINVAL;
}

int virtual_disk::run_write(const io_op& op, std::uint64_t limit) {
  node* where = current_->find(op.file);
  if (!where) return EBADF;
  std::uint64_t size = 0;
  for (const buffer_ref& piece : op.pieces) size += piece.size();
  const std::uint64_t end = op.at + std::min(size, limit);
  if (end > where->now.size() && used_bytes() + end - where->now.size() > options_.capacity)
    return ENOSPC;
  std::uint64_t at = op.at;
  for (const buffer_ref& piece : op.pieces) {
    const std::uint64_t part = std::min<std::uint64_t>(piece.size(), limit);
    where->write(at, piece.bytes().first(part));
    at += part;
    limit -= part;
  }
  return 0;
}

int virtual_disk::run_sync(file_id file) {
  node* where = current_->find(file);
  if (!where) return EBADF;
  ++syncs_;
  if (const int error = sync_failure_.hit()) {
    // As on Linux: the pages are clean now, and what of them reached the medium is unknown.
    for (const std::uint64_t s : where->dirty)
      if (random_.chance(50)) where->take_sector(s, 0, sector);
    where->dirty.clear();
    return error;
  }
  if (!options_.sync_lies) where->sync();
  return 0;
}

int virtual_disk::run_create(const io_op& op) {
  if (const int error = create_failure_.hit()) return error;
  const std::string& name = current_->name_of(op.file);
  if (used_bytes() + op.size > options_.capacity) return ENOSPC;
  auto made = std::make_shared<node>();
  made->now.resize(op.size);
  made->durable.resize(op.size);
  names_[name] = made;
  current_->bind(op.file, made);
  return 0;
}

int virtual_disk::run_names(const io_op& op) {
  if (op.what == io_op::kind::sync_dir) {
    if (!options_.sync_lies) sync_directory(op.to);
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
  write_failure_ = sync_failure_ = create_failure_ = load_failure_ = {};
  if (mode == crash_mode::power) lose_power();
}

// Names first: a name not synced may be old or new. Then bytes, sector by sector.
void virtual_disk::lose_power() {
  std::set<std::string> all;
  for (const auto& [name, where] : names_) all.insert(name);
  for (const auto& [name, where] : durable_names_) all.insert(name);
  std::map<std::string, node_ref> kept;
  for (const std::string& name : all) {
    const auto now = names_.find(name);
    const auto old = durable_names_.find(name);
    const node_ref now_node = now == names_.end() ? nullptr : now->second;
    const node_ref old_node = old == durable_names_.end() ? nullptr : old->second;
    const node_ref chosen = now_node == old_node || random_.chance(50) ? now_node : old_node;
    if (chosen) kept[name] = chosen;
  }
  names_ = kept;
  durable_names_ = std::move(kept);
  std::set<node*> done;
  for (const auto& [name, where] : names_) {
    if (!done.insert(where.get()).second) continue;
    for (const std::uint64_t s : where->dirty) {
      if (random_.chance(options_.mixed_sector_percent))
        where->take_sector(s, random_.below(sector), sector);
      else if (random_.chance(50))
        where->take_sector(s, 0, sector);
    }
    where->dirty.clear();
    if (where->durable.size() < where->now.size()) where->durable.resize(where->now.size());
    where->now = where->durable;
  }
}

void virtual_disk::fail_write(std::uint64_t nth, int error) {
  write_failure_ = {nth, error};
}
void virtual_disk::fail_sync(std::uint64_t nth, int error) {
  sync_failure_ = {nth, error};
}
void virtual_disk::fail_create(std::uint64_t nth, int error) {
  create_failure_ = {nth, error};
}
void virtual_disk::fail_load(std::uint64_t nth, int error) {
  load_failure_ = {nth, error};
}

std::vector<std::string> virtual_disk::names() const {
  std::vector<std::string> all;
  for (const auto& [name, where] : names_) all.push_back(name);
  return all;
}

std::vector<std::byte> virtual_disk::content(const std::string& name) const {
  const auto it = names_.find(name);
  return it == names_.end() ? std::vector<std::byte>() : it->second->now;
}

void virtual_disk::damage(const std::string& name, std::uint64_t at,
                          std::span<const std::byte> bytes) {
  const auto it = names_.find(name);
  check(it != names_.end() && at + bytes.size() <= it->second->now.size(), "damage inside a file");
  std::copy(bytes.begin(), bytes.end(), it->second->now.begin() + static_cast<std::ptrdiff_t>(at));
  if (it->second->durable.size() < it->second->now.size())
    it->second->durable.resize(it->second->now.size());
  std::copy(bytes.begin(), bytes.end(),
            it->second->durable.begin() + static_cast<std::ptrdiff_t>(at));
}

void virtual_disk::remove_file(const std::string& name) {
  names_.erase(name);
  durable_names_.erase(name);
}

std::unique_ptr<virtual_disk> virtual_disk::clone(std::uint64_t seed) const {
  virtual_disk_options options = options_;
  options.seed = seed;
  auto made = std::make_unique<virtual_disk>(options);
  std::map<node*, node_ref> copies;
  const auto copy = [&](const std::map<std::string, node_ref>& from) {
    std::map<std::string, node_ref> to;
    for (const auto& [name, where] : from) {
      node_ref& twin = copies[where.get()];
      if (!twin) twin = std::make_shared<node>(*where);
      to[name] = twin;
    }
    return to;
  };
  made->names_ = copy(names_);
  made->durable_names_ = copy(durable_names_);
  return made;
}

std::uint64_t virtual_disk::used_bytes() const noexcept {
  std::uint64_t used = 0;
  for (const auto& [name, where] : names_) used += where->now.size();
  return used;
}

}  // namespace holdfast
