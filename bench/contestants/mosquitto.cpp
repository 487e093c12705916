// Mosquitto, MQTT with QoS 1: every message has its PUBACK, both ways.
#include <unistd.h>

#include <exception>

#include <mosquitto.h>

#include "bench/contestants/peers.hpp"
#include "bench/contestants/servers.hpp"

namespace holdfast::bench {
namespace {

constexpr int wait_ms = 100, keep_alive_s = 60, qos = 1;
// More makes libmosquitto slower.
constexpr std::uint64_t window_max = 200;

void must(int done) {
  if (done != MOSQ_ERR_SUCCESS) give_up(std::string("mosquitto: ") + mosquitto_strerror(done));
}

class connection {
 public:
  connection(std::uint16_t port, const char* id, void* owner) {
    mosquitto_lib_init();
    client_ = mosquitto_new(id, true, owner);
    if (client_ == nullptr) give_up("mosquitto: no client");
    must(mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, 65'535));
    must(mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, 65'535));
    must(mosquitto_connect(client_, "127.0.0.1", port, keep_alive_s));
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { mosquitto_destroy(client_); }
  mosquitto* get() const { return client_; }
  void turn() const { must(mosquitto_loop(client_, wait_ms, 1)); }

 private:
  mosquitto* client_ = nullptr;
};

class mqtt_sender : public sender {
 public:
  mqtt_sender(std::uint16_t port, std::size_t bytes)
      : to_(port, "sender", this), window_(std::min(window_of(bytes), window_max)) {
    mosquitto_publish_callback_set(
        to_.get(), [](mosquitto*, void* owner, int) { --static_cast<mqtt_sender*>(owner)->open_; });
  }
  void send(body_view body) override {
    while (open_ >= window_) to_.turn();
    must(mosquitto_publish(to_.get(), nullptr, "bench", static_cast<int>(body.size()), body.data(),
                           qos, false));
    ++open_;
  }
  void finish() override {
    while (open_ > 0) to_.turn();
  }

 private:
  connection to_;
  const std::uint64_t window_;
  std::uint64_t open_ = 0;
};

class mqtt_receiver : public receiver {
 public:
  explicit mqtt_receiver(std::uint16_t port) : from_(port, "receiver", this) {
    mosquitto_message_callback_set(from_.get(),
                                   [](mosquitto*, void* owner, const mosquitto_message* message) {
                                     static_cast<mqtt_receiver*>(owner)->on_message(*message);
                                   });
    must(mosquitto_subscribe(from_.get(), nullptr, "bench", qos));
  }
  void receive(intake& into) override {
    into_ = &into;
    from_.turn();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  // The library is C: what is wrong waits until it has returned.
  void on_message(const mosquitto_message& message) noexcept {
    try {
      if (!failure_)
        into_->take({static_cast<const std::byte*>(message.payload),
                     static_cast<std::size_t>(message.payloadlen)});
    } catch (...) {
      failure_ = std::current_exception();
    }
  }

  connection from_;
  intake* into_ = nullptr;
  std::exception_ptr failure_;
};

std::string config_of(const setup& of, std::uint16_t port) {
  std::string text = "listener " + std::to_string(port) +
                     " 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location " +
                     of.scratch->path() + "/\nmax_inflight_messages 0\nmax_queued_messages 0\n";
  // It would become a user who may not write there.
  if (getuid() == 0) text += "user root\n";
  return write_scratch(of, "mosquitto.conf", text);
}

contestant mosquitto_broker() {
  return {"mosquitto qos 1", "memory",
          "persistence on (written every half hour), unlimited queue; publish window 200 messages "
          "or 16 MiB",
          [](const work& asked) {
            const std::uint16_t port = free_port();
            setup made = setup_in_scratch();
            start_server(made, {installed("mosquitto"), "-c", config_of(made, port)}, port);
            made.make_sender = [port, bytes = asked.bytes] {
              return std::make_unique<mqtt_sender>(port, bytes);
            };
            made.make_receiver = [port] { return std::make_unique<mqtt_receiver>(port); };
            return made;
          }};
}

}  // namespace

contestants mosquitto_brokers() {
  return {mosquitto_broker()};
}

}  // namespace holdfast::bench
