// RabbitMQ: persistent messages with publisher confirms; prefetch and acks of many at once.
#include <sys/time.h>

#include <deque>
#include <utility>

#include <amqp.h>
#include <amqp_tcp_socket.h>

#include "bench/contestants/peers.hpp"
#include "bench/contestants/servers.hpp"

namespace holdfast::bench {
namespace {

constexpr amqp_channel_t channel = 1;
constexpr std::uint16_t prefetch = 1000;
constexpr int ack_every = 200, frame_bytes = 131'072;
constexpr std::uint64_t window_max = 2000;
constexpr std::uint8_t persistent = 2;
constexpr timeval wait{0, 100'000}, at_once{0, 0};

amqp_bytes_t bytes_of(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

/// A connection with one channel.
class connection {
 public:
  explicit connection(std::uint16_t port) : state_(amqp_new_connection()) {
    amqp_socket_t* socket = amqp_tcp_socket_new(state_);
    if (socket == nullptr || amqp_socket_open(socket, "127.0.0.1", port) != AMQP_STATUS_OK)
      give_up("rabbitmq: no connection");
    must(amqp_login(state_, "/", 0, frame_bytes, 0, AMQP_SASL_METHOD_PLAIN, "guest", "guest"));
    amqp_channel_open(state_, channel);
    must_have_gone_well();
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { amqp_destroy_connection(state_); }
  amqp_connection_state_t get() const { return state_; }
  void must_have_gone_well() { must(amqp_get_rpc_reply(state_)); }
  /// Makes the durable queue "bench".
  void declare(const std::string& kind) {
    amqp_table_entry_t type{};
    type.key = bytes_of("x-queue-type");
    type.value.kind = AMQP_FIELD_KIND_UTF8;
    type.value.value.bytes = bytes_of(kind);
    const amqp_table_t arguments{1, &type};
    amqp_queue_declare(state_, channel, bytes_of("bench"), 0, 1, 0, 0, arguments);
    must_have_gone_well();
  }

 private:
  static void must(const amqp_rpc_reply_t& reply) {
    if (reply.reply_type != AMQP_RESPONSE_NORMAL) give_up("rabbitmq: a call failed");
  }
  amqp_connection_state_t state_;
};

class confirmed_sender : public sender {
 public:
  confirmed_sender(std::uint16_t port, std::size_t bytes)
      : to_(port), window_(std::min(window_of(bytes), window_max)) {
    amqp_confirm_select(to_.get(), channel);
    to_.must_have_gone_well();
    properties_._flags = AMQP_BASIC_DELIVERY_MODE_FLAG;
    properties_.delivery_mode = persistent;
  }
  void send(body_view body) override {
    while (open_ >= window_) take_confirms(wait);
    const amqp_bytes_t bytes{body.size(), const_cast<std::byte*>(body.data())};
    if (amqp_basic_publish(to_.get(), channel, amqp_empty_bytes, bytes_of("bench"), 0, 0,
                           &properties_, bytes) != AMQP_STATUS_OK)
      give_up("rabbitmq: publishing failed");
    confirmed_.push_back(false);
    ++open_;
  }
  void finish() override {
    while (open_ > 0) take_confirms(wait);
  }

 private:
  void take_confirms(timeval patience) {
    amqp_frame_t frame;
    while (amqp_simple_wait_frame_noblock(to_.get(), &frame, &patience) == AMQP_STATUS_OK) {
      if (frame.frame_type != AMQP_FRAME_METHOD || frame.payload.method.id != AMQP_BASIC_ACK_METHOD)
        give_up("rabbitmq: a message was not confirmed");
      const auto& ack = *static_cast<const amqp_basic_ack_t*>(frame.payload.method.decoded);
      confirm(ack.delivery_tag, ack.multiple != 0);
      amqp_maybe_release_buffers(to_.get());
      patience = at_once;
    }
  }
  // Confirms of single messages may come out of order.
  void confirm(std::uint64_t tag, bool multiple) {
    for (std::uint64_t i = multiple ? first_ : tag; i <= tag; ++i)
      if (i >= first_ && !std::exchange(confirmed_[i - first_], true)) --open_;
    for (; !confirmed_.empty() && confirmed_.front(); ++first_) confirmed_.pop_front();
  }

  connection to_;
  const std::uint64_t window_;
  amqp_basic_properties_t properties_{};
  std::deque<bool> confirmed_;  // of each tag from first_ on
  std::uint64_t first_ = 1, open_ = 0;
};

class prefetching_receiver : public receiver {
 public:
  explicit prefetching_receiver(std::uint16_t port) : from_(port) {
    amqp_basic_qos(from_.get(), channel, 0, prefetch, 0);
    from_.must_have_gone_well();
    amqp_basic_consume(from_.get(), channel, bytes_of("bench"), amqp_empty_bytes, 0, 0, 0,
                       amqp_empty_table);
    from_.must_have_gone_well();
  }
  void receive(intake& into) override {
    std::uint64_t last = 0;
    timeval patience = wait;
    for (int i = 0; i < ack_every; ++i) {
      amqp_maybe_release_buffers(from_.get());
      amqp_envelope_t got;
      const auto reply = amqp_consume_message(from_.get(), &got, &patience, 0);
      if (reply.reply_type == AMQP_RESPONSE_LIBRARY_EXCEPTION &&
          reply.library_error == AMQP_STATUS_TIMEOUT)
        break;
      if (reply.reply_type != AMQP_RESPONSE_NORMAL) give_up("rabbitmq: consuming failed");
      const amqp_bytes_t& body = got.message.body;
      into.take({static_cast<const std::byte*>(body.bytes), body.len});
      last = got.delivery_tag;
      amqp_destroy_envelope(&got);
      patience = at_once;
    }
    if (last != 0) amqp_basic_ack(from_.get(), channel, last, 1);
  }

 private:
  connection from_;
};

/// The port mapper that Erlang would start itself, and never end.
void start_epmd(setup& of, std::uint16_t port) {
  of.beside.emplace(std::vector<std::string>{installed("epmd"), "-address", "127.0.0.1", "-port",
                                             std::to_string(port)},
                    log_file{of.scratch->path() + "/epmd.log"});
  wait_listening(port, *of.beside);
}

contestant rabbitmq(const std::string& kind, const std::string& survives) {
  return {"rabbitmq " + kind, survives,
          "durable queue, persistent messages; confirms in a window of 2000 messages or 16 MiB; "
          "prefetch 1000, one ack for 200 messages at most",
          [kind](const work& asked) {
            const std::uint16_t port = free_port(), mapper = free_port();
            setup made = setup_in_scratch();
            start_epmd(made, mapper);
            const std::string& home = made.scratch->path();
            const std::string number = std::to_string(port);
            start_server(made,
                         {"/usr/bin/env", "HOME=" + home, "ERL_EPMD_PORT=" + std::to_string(mapper),
                          "RABBITMQ_NODENAME=bench@localhost", "RABBITMQ_NODE_PORT=" + number,
                          "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1",
                          "RABBITMQ_DIST_PORT=" + std::to_string(free_port()),
                          "RABBITMQ_MNESIA_BASE=" + home + "/data", "RABBITMQ_LOG_BASE=" + home,
                          "RABBITMQ_CONFIG_FILE=" + home + "/none",
                          "RABBITMQ_ENABLED_PLUGINS_FILE=" + home + "/plugins",
                          installed("rabbitmq-server")},
                         port);
            // Once, before the ends meet: two who make it at the same time get in each other's way.
            if (!child([=] { connection(port).declare(kind); }).wait())
              give_up("rabbitmq: no queue");
            made.make_sender = [=, bytes = asked.bytes] {
              return std::make_unique<confirmed_sender>(port, bytes);
            };
            made.make_receiver = [=] { return std::make_unique<prefetching_receiver>(port); };
            return made;
          }};
}

}  // namespace

contestants rabbitmq_brokers() {
  return {rabbitmq("classic", "page cache"), rabbitmq("quorum", "disk")};
}

}  // namespace holdfast::bench
