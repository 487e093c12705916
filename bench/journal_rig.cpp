#include "bench/journal_rig.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/checksum.hpp"
#include "journal/format.hpp"
#include "patterns/block.hpp"

namespace holdfast::bench {
namespace {

constexpr std::size_t row_bytes = 200;

buffer_ref random_body(std::size_t bytes, std::uint64_t seed) {
  std::vector<std::byte> made(bytes);
  std::uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
  for (std::byte& b : made) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    b = static_cast<std::byte>(state);
  }
  return copy_to_buffer(made);
}

buffer_ref packed_body(std::size_t message_bytes) {
  block_packer packer;
  for (std::size_t i = 0; i < batch_messages; ++i) {
    const buffer_ref one = random_body(message_bytes, i);
    const bytes_view part = one.bytes();
    packer.add({&part, 1}, 1);
  }
  return packer.seal().body;
}

}  // namespace

double cpu_ns() {
  timespec at{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &at);
  return static_cast<double>(at.tv_sec) * 1e9 + static_cast<double>(at.tv_nsec);
}

double cpu_ns_cost() {
  constexpr int readings = 10'000;
  const double begin = cpu_ns();
  for (int i = 0; i < readings; ++i) (void)cpu_ns();
  return (cpu_ns() - begin) / readings;
}

double anonymous_bytes() {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with("RssAnon:")) return std::stod(line.substr(8)) * 1024;
  return 0;
}

message_batch::message_batch(std::size_t message_bytes, level need, bool packed)
    : need_(need), count_(packed ? batch_messages : 1), sequences_(1, 1) {
  if (packed)
    bodies_.push_back(packed_body(message_bytes));
  else
    for (std::size_t i = 0; i < batch_messages; ++i)
      bodies_.push_back(random_body(message_bytes, i));
  items_.resize(bodies_.size());
}

std::vector<append_item>& message_batch::next(std::uint64_t time_ns) {
  if (sequences_.size() < streams_) sequences_.resize(streams_, 1);
  for (std::size_t i = 0; i < items_.size(); ++i) {
    append_item& item = items_[i];
    item.head = {};
    item.head.type = record_type::block;
    item.head.count = count_;
    item.head.stream = stream_ + 1;
    item.head.first_sequence = sequences_[stream_];
    item.head.time_ns = time_ns;
    item.head.need = need_;
    item.body = bodies_[i];
    sequences_[stream_] += count_;
    stream_ = stream_ + 1 == streams_ ? 0 : stream_ + 1;
  }
  return items_;
}

void message_batch::sum() {
  for (append_item& item : items_) item.head.body_sum = checksum(item.body.bytes());
}

std::uint64_t message_batch::log_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const buffer_ref& body : bodies_) sum += record_size(body.size());
  return sum;
}

bench_journal::bench_journal(std::string path, journal_options options) {
  const double begin = now_seconds();
  auto opened = open_journal(path, std::move(options), report_);
  if (!opened) give_up(std::string(opened.text()));
  log_ = std::move(opened).value();
  const status done = log_->replay([this](std::span<const record_view> batch) {
    for (const record_view& one : batch) replayed_bytes_ += record_size(one.body.size());
  });
  if (!done) give_up(std::string(done.text()));
  open_seconds_ = now_seconds() - begin;
}

bench_journal::~bench_journal() = default;

marks bench_journal::turn(std::uint64_t rows) {
  const marks at = log_->progress();
  if (at.failure) give_up(std::string(at.failure->text()));
  if (log_->checkpoint_due()) checkpoint(rows);
  return at;
}

void bench_journal::sleep_until_news() {
  pollfd news{log_->wake_fd(), POLLIN, 0};
  ::poll(&news, 1, 5);
}

void bench_journal::wait(level need) {
  if (need == level::disk) {
    if (const status done = log_->flush(); !done) give_up(std::string(done.text()));
    return;
  }
  while (turn().at(need) < last_) sleep_until_news();
}

void bench_journal::wait_room(std::uint64_t bytes, std::uint64_t rows) {
  while (log_->available().message_bytes < bytes) {
    sleep_until_news();
    turn(rows);
  }
}

void bench_journal::checkpoint(std::uint64_t rows) {
  if (!log_->begin_checkpoint()) return;
  const std::vector<std::byte> all(rows * row_bytes);
  log_->add_checkpoint_rows(all);
  log_->finish_checkpoint();
}

void bench_journal::close() {
  if (const status done = log_->close(); !done) give_up(std::string(done.text()));
  log_.reset();
}

void make_cold(const std::string& directory) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (!entry.is_regular_file()) continue;
    const int fd = ::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC);
    ::fsync(fd);
    ::posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    ::close(fd);
  }
}

double device_bytes_written(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  struct stat of {};
  if (::fstat(fd, &of) != 0) give_up(path + " cannot be looked at");
  ::syncfs(fd);
  ::close(fd);
  std::ifstream in("/sys/dev/block/" + std::to_string(major(of.st_dev)) + ":" +
                   std::to_string(minor(of.st_dev)) + "/stat");
  double figure = 0;
  for (int i = 0; i < 7; ++i)
    if (!(in >> figure)) return -1;
  return figure * 512;  // the seventh: sectors written
}

}  // namespace holdfast::bench
