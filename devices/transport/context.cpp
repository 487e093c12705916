#include "devices/transport/context.hpp"

#include <mutex>
#include <zmq.hpp>

namespace holdfast {
namespace {

void terminate(void* handle) {
  while (zmq_ctx_term(handle) != 0 && errno == EINTR) {
  }
}

}  // namespace

result<context> context::open(int io_threads) {
  void* made = zmq_ctx_new();
  if (!made) return {errc::io, std::string("cannot make a ZeroMQ context: ") + zmq_strerror(errno)};
  context owned(std::shared_ptr<void>(made, terminate));
  if (zmq_ctx_set(made, ZMQ_IO_THREADS, io_threads) != 0)
    return {errc::invalid, "a ZeroMQ context cannot have " + std::to_string(io_threads) +
                               " threads: " + zmq_strerror(errno)};
  // A device with a socket per peer may need more than libzmq's default of 1023.
  zmq_ctx_set(made, ZMQ_MAX_SOCKETS, zmq_ctx_get(made, ZMQ_SOCKET_LIMIT));
  return owned;
}

result<context> context::library() {
  static std::mutex guard;
  static std::weak_ptr<void> shared;
  const std::lock_guard held(guard);
  if (auto found = shared.lock()) return context(std::move(found));
  auto made = open();
  if (made) shared = made->handle_;
  return made;
}

context context::adopt(void* foreign) noexcept {
  return context(std::shared_ptr<void>(std::shared_ptr<void>(), foreign));
}

}  // namespace holdfast
