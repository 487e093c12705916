#include "bench/contestants/reliable_ends.hpp"

#include "bench/line/topics.hpp"
#include "holdfast/pipeline.hpp"
#include "holdfast/pubsub.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast::bench {
namespace {

constexpr milliseconds wait{100};

std::string topic_of(const reliable_end& at) {
  return at.name.empty() ? "bench" : at.name;
}

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
  publisher_end(const publisher_options& options, topics about)
      : to_(must(publisher::open(options))), topics_(std::move(about)) {}
  void send(body_view body) override { must(to_.send(topics_.next(), {body})); }
  void finish() override { must(to_.flush()); }

 private:
  publisher to_;
  topics topics_;
};

class requester_end : public sender {
 public:
  requester_end(const requester_options& options, const reliable_end& at)
      : asker_(must(requester::open(options))), service_(at.name), in_flight_(at.in_flight) {}
  void send(body_view body) override {
    while (open_ >= in_flight_) take_reply();
    must(asker_.ask(service_, {&body, 1}));
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
  const std::string service_;
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

std::unique_ptr<sender> produce_to(const reliable_end& at) {
  producer_options options;
  options.endpoint = at.endpoint;
  options.level = at.level;
  options.queue = at.name;
  return std::make_unique<producer_end>(options);
}

std::unique_ptr<receiver> work_for(const reliable_end& at) {
  worker_options options;
  options.endpoint = at.endpoint;
  options.queue = at.name;
  return std::make_unique<worker_end>(options);
}

std::unique_ptr<sender> reliable_publish_to(const reliable_end& at) {
  publisher_options options;
  options.endpoint = at.endpoint;
  options.level = at.level;
  return std::make_unique<publisher_end>(options, topics(topic_of(at), at.topics));
}

std::unique_ptr<receiver> reliable_subscribe_to(const reliable_end& at) {
  subscriber_options options;
  options.endpoint = at.endpoint;
  options.prefixes = {topic_of(at)};
  return std::make_unique<subscriber_end>(options);
}

std::unique_ptr<sender> reliable_ask_at(const reliable_end& at) {
  requester_options options;
  options.endpoint = at.endpoint;
  options.level = at.level;
  return std::make_unique<requester_end>(options, at);
}

std::unique_ptr<receiver> reliable_answer_at(const reliable_end& at) {
  replier_options options;
  options.endpoint = at.endpoint;
  options.service = at.name;
  options.credit_messages = at.in_flight;
  return std::make_unique<replier_end>(options);
}

}  // namespace holdfast::bench
