// Redis Streams: XADD, pipelined; a consumer group that acks each batch with one XACK.
#include <cstring>

#include <hiredis/hiredis.h>

#include "bench/contestants/peers.hpp"
#include "bench/contestants/servers.hpp"

namespace holdfast::bench {
namespace {

constexpr int batch_messages = 1000, wait_ms = 100;

struct reply_deleter {
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using reply = std::unique_ptr<redisReply, reply_deleter>;

class connection {
 public:
  explicit connection(std::uint16_t port) : context_(redisConnect("127.0.0.1", port)) {
    if (context_ == nullptr || context_->err != 0) give_up("no connection to redis-server");
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() { redisFree(context_); }

  using words = std::vector<std::string_view>;
  /// Queues a command; it leaves with the next reply that is asked for.
  void append(const words& command) {
    std::vector<const char*> texts;
    std::vector<std::size_t> sizes;
    for (const std::string_view word : command) {
      texts.push_back(word.data());
      sizes.push_back(word.size());
    }
    redisAppendCommandArgv(context_, static_cast<int>(command.size()), texts.data(), sizes.data());
  }
  reply next() {
    void* got = nullptr;
    if (redisGetReply(context_, &got) != REDIS_OK)
      give_up(std::string("redis: ") + context_->errstr);
    reply made(static_cast<redisReply*>(got));
    if (made->type == REDIS_REPLY_ERROR) give_up(std::string("redis: ") + made->str);
    return made;
  }
  reply ask(const words& command) {
    append(command);
    return next();
  }

 private:
  redisContext* context_;
};

class stream_sender : public sender {
 public:
  stream_sender(std::uint16_t port, std::size_t bytes) : to_(port), window_(window_of(bytes)) {}
  void send(body_view body) override {
    to_.append(
        {"XADD", "bench", "*", "m", {reinterpret_cast<const char*>(body.data()), body.size()}});
    // Half a window at a time, so that the server always has something to do.
    if (++open_ < window_) return;
    while (open_ > window_ / 2) take_reply();
  }
  void finish() override {
    while (open_ > 0) take_reply();
  }

 private:
  void take_reply() {
    to_.next();
    --open_;
  }
  connection to_;
  const std::uint64_t window_;
  std::uint64_t open_ = 0;
};

class group_receiver : public receiver {
 public:
  explicit group_receiver(std::uint16_t port) : from_(port) {
    from_.ask({"XGROUP", "CREATE", "bench", "group", "0", "MKSTREAM"});
  }
  void receive(intake& into) override {
    const reply got = from_.ask({"XREADGROUP", "GROUP", "group", "one", "COUNT", count_, "BLOCK",
                                 block_, "STREAMS", "bench", ">"});
    if (got->type != REDIS_REPLY_ARRAY || got->elements == 0) return;
    const redisReply& entries = *got->element[0]->element[1];
    connection::words acked{"XACK", "bench", "group"};
    for (std::size_t i = 0; i < entries.elements; ++i) {
      const redisReply& entry = *entries.element[i];
      const redisReply& body = *entry.element[1]->element[1];
      into.take({reinterpret_cast<const std::byte*>(body.str), body.len});
      acked.emplace_back(entry.element[0]->str, entry.element[0]->len);
    }
    from_.ask(acked);
  }

 private:
  const std::string count_ = std::to_string(batch_messages), block_ = std::to_string(wait_ms);
  connection from_;
};

contestant redis(const std::string& fsync, const std::string& survives) {
  return {"redis streams " + fsync, survives,
          "AOF with appendfsync " + fsync +
              ", no snapshots, no rewrites; XADD in a window of 65536 messages or 16 MiB; "
              "XREADGROUP of 1000, one XACK a batch",
          [fsync](const work& asked) {
            const std::uint16_t port = free_port();
            setup made = setup_in_scratch();
            start_server(
                made,
                {installed("redis-server"), "--bind", "127.0.0.1", "--port", std::to_string(port),
                 "--dir", made.scratch->path(), "--appendonly", "yes", "--appendfsync", fsync,
                 "--save", "", "--auto-aof-rewrite-percentage", "0"},
                port);
            made.make_sender = [port, bytes = asked.bytes] {
              return std::make_unique<stream_sender>(port, bytes);
            };
            made.make_receiver = [port] { return std::make_unique<group_receiver>(port); };
            return made;
          }};
}

}  // namespace

contestants redis_brokers() {
  return {redis("everysec", "page cache"), redis("always", "disk")};
}

}  // namespace holdfast::bench
