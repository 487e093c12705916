#include "devices/transport/message_reader.hpp"

#include <deque>
#include <zmq.hpp>

#include "devices/transport/thread_sanitizer.hpp"

namespace holdfast {

/// Objects stay where they are: small messages keep their bytes inside themselves.
struct message_reader::messages {
  std::deque<zmq::message_t> kept;
  zmq::message_t discarded;
};

message_reader::message_reader(std::uint64_t bytes_max, std::size_t parts_max)
    : messages_(std::make_unique<messages>()), bytes_max_(bytes_max), parts_max_(parts_max) {}

message_reader::~message_reader() = default;

io message_reader::receive(socket& from) {
  parts_.clear();
  bytes_ = 0;
  bool fits = true;
  for (bool more = true; more;) {
    if (fits && parts_.size() == messages_->kept.size()) messages_->kept.emplace_back();
    zmq::message_t& into = fits ? messages_->kept[parts_.size()] : messages_->discarded;
    // libzmq closes what the object held before.
    if (zmq_msg_recv(into.handle(), from.handle(), ZMQ_DONTWAIT) < 0)
      return errno == EAGAIN || errno == EINTR ? io::would_block : io::failed;
    take_over_content(into.data());
    more = into.more();
    bytes_ += into.size();
    if (fits) parts_.push_back(as_bytes_view(into.data(), into.size()));
    fits = fits && bytes_ <= bytes_max_ && parts_.size() + (more ? 1 : 0) <= parts_max_;
  }
  return fits ? io::done : io::too_large;
}

}  // namespace holdfast
