// context: a ZeroMQ context: made by main(), the library's own, or passed in by the program that
// embeds a device; every socket is opened in one.
//
// Contract: closing waits for nothing (sockets have LINGER 0), but all sockets must be closed
// before. Threads: open sockets from any thread.
#pragma once

#include <memory>
#include <utility>

#include "holdfast/status.hpp"

namespace holdfast {

class context {
 public:
  /// `io_threads`: libzmq's own, 1 is enough for about 1 GB/s.
  static result<context> open(int io_threads = 1);
  /// The library's own: one for all that were given none, so that they meet over inproc. Ends with
  /// the last of them.
  static result<context> library();
  /// Uses a `void*` context of libzmq that belongs to the program and outlives this object.
  static context adopt(void* foreign) noexcept;

  context(context&&) noexcept = default;
  context& operator=(context&&) noexcept = default;

  void* handle() const noexcept { return handle_.get(); }

 private:
  explicit context(std::shared_ptr<void> handle) noexcept : handle_(std::move(handle)) {}
  std::shared_ptr<void> handle_;
};

}  // namespace holdfast
