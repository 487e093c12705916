// recovery_crash: a storage that stops dead after so many calls, so that a device can crash in the
// middle of opening its journal, where nothing gives way to the scheduler.
//
// Contract: throws crashed_in_recovery from wait() or read_now(); whoever opens catches it and
// crashes the disk. With a budget of 0 it only passes on.
#pragma once

#include <memory>

#include "base/storage.hpp"

namespace holdfast::sim {

struct crashed_in_recovery {};

class recovery_crash final : public storage {
 public:
  /// `fuse`: calls until the crash, 0 = none; shared with whoever wants to take it out later.
  recovery_crash(std::unique_ptr<storage> under, std::shared_ptr<std::uint64_t> fuse)
      : under_(std::move(under)), fuse_(std::move(fuse)) {}

  void submit(std::span<io_op> ops) override { under_->submit(ops); }
  std::size_t poll(std::vector<io_result>& out) override { return under_->poll(out); }
  void wait() override {
    burn();
    under_->wait();
  }
  void before_sleep() override { under_->before_sleep(); }
  int wake_fd() noexcept override { return under_->wake_fd(); }
  file_id assign(std::string_view name) override { return under_->assign(name); }
  result<file_id> open_file(std::string_view name) override { return under_->open_file(name); }
  void close_file(file_id file) override { under_->close_file(file); }
  bool pinned(file_id file) const override { return under_->pinned(file); }
  result<std::vector<file_info>> list(std::string_view directory) override {
    return under_->list(directory);
  }
  status make_directory(std::string_view name) override { return under_->make_directory(name); }
  status read_now(file_id file, std::uint64_t at, std::span<std::byte> into) override {
    burn();
    return under_->read_now(file, at, into);
  }
  std::uint64_t free_bytes() override { return under_->free_bytes(); }

 private:
  void burn() {
    if (*fuse_ != 0 && --*fuse_ == 0) throw crashed_in_recovery{};
  }
  std::unique_ptr<storage> under_;
  std::shared_ptr<std::uint64_t> fuse_;
};

}  // namespace holdfast::sim
