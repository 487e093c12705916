#include "bench/contestants/plain_ends.hpp"

#include <zmq.hpp>

#include "bench/line/topics.hpp"

namespace holdfast::bench {
namespace {

constexpr int wait_ms = 100, together_max = 256;

class plain_socket {
 public:
  plain_socket(const plain_end& at, zmq::socket_type type) : socket_(context_, type) {
    socket_.set(zmq::sockopt::linger, 0);
    socket_.set(zmq::sockopt::sndhwm, high_water_of(at.bytes));
    socket_.set(zmq::sockopt::rcvhwm, high_water_of(at.bytes));
    socket_.set(zmq::sockopt::rcvtimeo, wait_ms);
    if (type == zmq::socket_type::pub) socket_.set(zmq::sockopt::xpub_nodrop, 1);
    if (type == zmq::socket_type::sub) socket_.set(zmq::sockopt::subscribe, at.topic);
    at.bind ? socket_.bind(at.endpoint) : socket_.connect(at.endpoint);
  }
  zmq::socket_t& operator*() { return socket_; }
  zmq::socket_t* operator->() { return &socket_; }

 private:
  zmq::context_t context_{1};
  zmq::socket_t socket_;
};

body_view view_of(const zmq::message_t& message) {
  return {message.data<std::byte>(), message.size()};
}

class push_end : public sender {
 public:
  explicit push_end(const plain_end& at) : socket_(at, zmq::socket_type::push) {}
  void send(body_view body) override {
    while (!socket_->send(zmq::buffer(body.data(), body.size()), zmq::send_flags::none)) continue;
  }

 private:
  plain_socket socket_;
};

class pub_end : public sender {
 public:
  explicit pub_end(const plain_end& at)
      : socket_(at, zmq::socket_type::pub), topics_(at.topic, at.topics) {}
  void send(body_view body) override {
    const std::string& topic = topics_.next();
    while (!socket_->send(zmq::buffer(topic), zmq::send_flags::sndmore)) continue;
    while (!socket_->send(zmq::buffer(body.data(), body.size()), zmq::send_flags::none)) continue;
  }

 private:
  plain_socket socket_;
  topics topics_;
};

// The last part of each message: behind the topic, where there is one.
class receiving_end : public receiver {
 public:
  receiving_end(const plain_end& at, zmq::socket_type type) : socket_(at, type) {}
  void receive(intake& into) override {
    auto flags = zmq::recv_flags::none;
    for (int i = 0; i < together_max && socket_->recv(message_, flags); ++i) {
      while (message_.more()) (void)socket_->recv(message_);
      into.take(view_of(message_));
      flags = zmq::recv_flags::dontwait;
    }
  }

 private:
  plain_socket socket_;
  zmq::message_t message_;
};

class dealer_end : public sender {
 public:
  dealer_end(const plain_end& at, unsigned in_flight)
      : socket_(at, zmq::socket_type::dealer), in_flight_(in_flight), bytes_(at.bytes) {}
  void send(body_view body) override {
    while (open_ >= in_flight_) take_reply();
    socket_->send(zmq::message_t(), zmq::send_flags::sndmore);
    socket_->send(zmq::buffer(body.data(), body.size()), zmq::send_flags::none);
    ++open_;
  }
  void finish() override {
    while (open_ > 0) take_reply();
  }

 private:
  void take_reply() {
    if (!socket_->recv(reply_)) return;
    while (reply_.more()) (void)socket_->recv(reply_);
    if (reply_.size() != bytes_) give_up("a reply has a wrong size");
    --open_;
  }

  plain_socket socket_;
  const unsigned in_flight_;
  const std::size_t bytes_;
  unsigned open_ = 0;
  zmq::message_t reply_;
};

class rep_end : public receiver {
 public:
  explicit rep_end(const plain_end& at) : socket_(at, zmq::socket_type::rep) {}
  void receive(intake& into) override {
    if (!socket_->recv(message_)) return;
    into.take(view_of(message_));
    socket_->send(message_, zmq::send_flags::none);
  }

 private:
  plain_socket socket_;
  zmq::message_t message_;
};

}  // namespace

std::unique_ptr<sender> push_to(const plain_end& at) {
  return std::make_unique<push_end>(at);
}
std::unique_ptr<receiver> pull_from(const plain_end& at) {
  return std::make_unique<receiving_end>(at, zmq::socket_type::pull);
}
std::unique_ptr<sender> publish_to(const plain_end& at) {
  return std::make_unique<pub_end>(at);
}
std::unique_ptr<receiver> subscribe_to(const plain_end& at) {
  return std::make_unique<receiving_end>(at, zmq::socket_type::sub);
}
std::unique_ptr<sender> ask_at(const plain_end& at, unsigned in_flight) {
  return std::make_unique<dealer_end>(at, in_flight);
}
std::unique_ptr<receiver> answer_at(const plain_end& at) {
  return std::make_unique<rep_end>(at);
}

}  // namespace holdfast::bench
