// NATS JetStream: asynchronous publishing with acks; a push consumer with cumulative acks.
#include <nats/nats.h>

#include "bench/contestants/peers.hpp"
#include "bench/contestants/servers.hpp"

namespace holdfast::bench {
namespace {

constexpr int ack_every = 256, wait_ms = 100, patience_ms = 30'000;

void must(natsStatus done) {
  if (done != NATS_OK) give_up(std::string("nats: ") + natsStatus_GetText(done));
}

/// A connection, and the stream "bench" on the server's disk.
class connection {
 public:
  connection(std::uint16_t port, std::int64_t window) {
    must(natsConnection_ConnectTo(&to_, ("nats://127.0.0.1:" + std::to_string(port)).c_str()));
    jsOptions options;
    must(jsOptions_Init(&options));
    options.PublishAsync.MaxPending = window;
    options.PublishAsync.StallWait = patience_ms;
    options.PublishAsync.ErrHandler = [](jsCtx*, jsPubAckErr*, void* refused) {
      *static_cast<std::atomic<bool>*>(refused) = true;
    };
    options.PublishAsync.ErrHandlerClosure = &refused_;
    must(natsConnection_JetStream(&stream_, to_, &options));
    const char* subject = "bench";
    jsStreamConfig config;
    must(jsStreamConfig_Init(&config));
    config.Name = subject;
    config.Subjects = &subject;
    config.SubjectsLen = 1;
    config.Storage = js_FileStorage;
    must(js_AddStream(nullptr, stream_, &config, nullptr, nullptr));
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() {
    jsCtx_Destroy(stream_);
    natsConnection_Destroy(to_);
  }
  jsCtx* stream() const { return stream_; }
  bool refused() const { return refused_; }
  void flush() const { must(natsConnection_Flush(to_)); }

 private:
  std::atomic<bool> refused_{false};
  natsConnection* to_ = nullptr;
  jsCtx* stream_ = nullptr;
};

class stream_sender : public sender {
 public:
  stream_sender(std::uint16_t port, std::size_t bytes)
      : to_(port, static_cast<std::int64_t>(std::min<std::uint64_t>(window_of(bytes), 4000))) {}
  void send(body_view body) override {
    must(js_PublishAsync(to_.stream(), "bench", body.data(), static_cast<int>(body.size()),
                         nullptr));
  }
  void finish() override {
    jsPubOptions options;
    must(jsPubOptions_Init(&options));
    options.MaxWait = patience_ms;
    must(js_PublishAsyncComplete(to_.stream(), &options));
    if (to_.refused()) give_up("nats: a message was refused");
  }

 private:
  connection to_;
};

class push_receiver : public receiver {
 public:
  explicit push_receiver(std::uint16_t port) : from_(port, 0) {
    jsSubOptions options;
    must(jsSubOptions_Init(&options));
    options.Config.AckPolicy = js_AckAll;
    options.Config.MaxAckPending = 16'384;
    must(js_SubscribeSync(&in_, from_.stream(), "bench", nullptr, &options, nullptr));
    must(natsSubscription_SetPendingLimits(in_, -1, -1));
  }
  push_receiver(const push_receiver&) = delete;
  push_receiver& operator=(const push_receiver&) = delete;
  ~push_receiver() override { natsSubscription_Destroy(in_); }

  void receive(intake& into) override {
    natsMsg* last = nullptr;
    for (int i = 0; i < ack_every; ++i) {
      natsMsg* got = nullptr;
      const natsStatus done = natsSubscription_NextMsg(&got, in_, last == nullptr ? wait_ms : 1);
      if (done == NATS_TIMEOUT) break;
      must(done);
      into.take({reinterpret_cast<const std::byte*>(natsMsg_GetData(got)),
                 static_cast<std::size_t>(natsMsg_GetDataLength(got))});
      natsMsg_Destroy(last);
      last = got;
    }
    if (last != nullptr) must(natsMsg_Ack(last, nullptr));
    natsMsg_Destroy(last);
  }
  void finish() override { from_.flush(); }

 private:
  connection from_;
  natsSubscription* in_ = nullptr;
};

contestant jetstream() {
  return {"nats jetstream", "page cache",
          "file store, one replica, default sync interval; publish window 4000 messages or 16 MiB; "
          "push consumer, one cumulative ack for 256 messages at most",
          [](const work& asked) {
            const std::uint16_t port = free_port();
            setup made = setup_in_scratch();
            const std::string config = write_scratch(
                made, "nats.conf",
                "listen: \"127.0.0.1:" + std::to_string(port) + "\"\nmax_payload: 8388608\n" +
                    "jetstream { store_dir: \"" + made.scratch->path() + "\" }\n");
            start_server(made, {installed("nats-server"), "-c", config}, port);
            made.make_sender = [port, bytes = asked.bytes] {
              return std::make_unique<stream_sender>(port, bytes);
            };
            made.make_receiver = [port] { return std::make_unique<push_receiver>(port); };
            return made;
          }};
}

}  // namespace

contestants nats_brokers() {
  return {jetstream()};
}

}  // namespace holdfast::bench
