#include "bench/contestants/reliable_ends.hpp"

#include "holdfast/pipeline.hpp"
#include "holdfast/pubsub.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast::bench {
namespace {

constexpr milliseconds wait{100};
constexpr std::string_view topic = "bench";

// Opens an endpoint, or what a call gave: its value, or the end of the measurement.
template <class value>
value must(result<value> got) {
  if (!got) give_up(std::string(got.text()));
  return std::move(got).value();
}
void must(const status& done) {
  if (!done) give_up(std::string(done.text()));
}

class producer_end : public sender {
 public:
  explicit producer_end(const producer_options& options) : to_(must(producer::open(options))) {}
  void send(body_view body) override { must(to_.send({body})); }
  void finish() override { must(to_.flush()); }

 private:
  producer to_;
};

class publisher_end : public sender {
 public:
  explicit publisher_end(const publisher_options& options) : to_(must(publisher::open(options))) {}
  void send(body_view body) override { must(to_.send(topic, {body})); }
  void finish() override { must(to_.flush()); }

 private:
  publisher to_;
};

class requester_end : public sender {
 public:
  requester_end(const requester_options& options, unsigned in_flight)
      : asker_(must(requester::open(options))), in_flight_(in_flight) {}
  void send(body_view body) override {
    while (open_ >= in_flight_) take_reply();
    must(asker_.ask("", {&body, 1}));
    bytes_ = body.size();
    ++open_;
  }
  void finish() override {
    while (open_ > 0) take_reply();
  }

 private:
  void take_reply() {
    const received_reply reply = must(asker_.next());
    if (!reply.ok() || reply.parts().bytes() != bytes_) give_up("a wrong reply came");
    --open_;
  }

  requester asker_;
  const unsigned in_flight_;
  unsigned open_ = 0;
  std::size_t bytes_ = 0;
};

class worker_end : public receiver {
 public:
  explicit worker_end(const worker_options& options) : from_(must(worker::open(options))) {}
  void receive(intake& into) override {
    const auto got = from_.receive_batch(wait);
    if (!got && got.kind() == errc::timeout) return;
    if (!got) give_up(std::string(got.text()));
    for (const delivery& one : *got) into.take(one.parts()[0]);
    must(from_.ack(*got));
  }
  void finish() override { must(from_.flush()); }

 private:
  worker from_;
};

class subscriber_end : public receiver {
 public:
  explicit subscriber_end(const subscriber_options& options)
      : from_(must(subscriber::open(options))) {}
  void receive(intake& into) override {
    const auto got = from_.receive_batch(wait);
    if (!got && got.kind() == errc::timeout) return;
    if (!got) give_up(std::string(got.text()));
    for (const delivery& one : *got) into.take(one.parts()[1]);
  }

 private:
  subscriber from_;
};

class replier_end : public receiver {
 public:
  explicit replier_end(const replier_options& options) : from_(must(replier::open(options))) {}
  void receive(intake& into) override {
    const auto request = from_.receive(wait);
    if (!request && request.kind() == errc::timeout) return;
    if (!request) give_up(std::string(request.text()));
    into.take(request->parts()[0]);
    must(from_.reply(*request, request->text()));
  }

 private:
  replier from_;
};

}  // namespace

std::unique_ptr<sender> produce_to(const std::string& endpoint, durability level) {
  producer_options options;
  options.endpoint = endpoint;
  options.level = level;
  return std::make_unique<producer_end>(options);
}

std::unique_ptr<receiver> work_for(const std::string& endpoint) {
  worker_options options;
  options.endpoint = endpoint;
  return std::make_unique<worker_end>(options);
}

std::unique_ptr<sender> reliable_publish_to(const std::string& endpoint, durability level) {
  publisher_options options;
  options.endpoint = endpoint;
  options.level = level;
  return std::make_unique<publisher_end>(options);
}

std::unique_ptr<receiver> reliable_subscribe_to(const std::string& endpoint) {
  subscriber_options options;
  options.endpoint = endpoint;
  options.prefixes = {std::string(topic)};
  return std::make_unique<subscriber_end>(options);
}

std::unique_ptr<sender> reliable_ask_at(const std::string& endpoint, durability level,
                                        unsigned in_flight) {
  requester_options options;
  options.endpoint = endpoint;
  options.level = level;
  return std::make_unique<requester_end>(options, in_flight);
}

std::unique_ptr<receiver> reliable_answer_at(const std::string& endpoint, unsigned in_flight) {
  replier_options options;
  options.endpoint = endpoint;
  options.credit_messages = in_flight;
  return std::make_unique<replier_end>(options);
}

}  // namespace holdfast::bench
