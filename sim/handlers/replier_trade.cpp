#include "devices/endpoints/handed.hpp"
#include "sim/handlers/trade.hpp"
#include "sim/requests.hpp"

namespace holdfast::sim {
namespace {

using said_as = simulated::handled::as;

replier_stream_options named(const std::string& who) {
  replier_stream_options options;
  options.worker = who;
  options.credit_messages = 1;
  return options;
}

class replier_trade final : public trade {
 public:
  replier_trade(const post& at, simulated::request_handler call)
      : trade(at), call_(std::move(call)), requests_(named(at.who)) {}

  client_stream& stream() override { return requests_; }
  std::uint32_t epoch() const override { return requests_.stream_epoch; }

  void look() override {
    const status& failure = requests_.inner.failure();
    if (!failure.ok())
      at_.in.judged.fail(endpoint, at_.who + ": " + std::string(failure.text()), {}, now());
  }

  bool take(job& into) override {
    request_taken taken;
    if (!requests_.inner.take(taken)) return false;
    entry message;
    message.flags = taken.lengths.empty() ? std::uint8_t{0} : entry_flag::multipart;
    message.lengths = taken.lengths;
    message.data = taken.data;
    into.key = came(channel_kind::reqrep, taken.run, parts_of(message));
    hide_last_part(taken.lengths, taken.data);
    into.request = handed::request(taken);
    return true;
  }

  simulated::handled call(const job& what, simulated::process& self) override {
    return call_(what.request, self);
  }

  bool settle(const job& what, const simulated::handled& said) override {
    const delivery_ticket ticket = handed::ticket(what.request);
    assignment& work = requests_.inner.work();
    switch (said.how) {
      case said_as::replied: return reply(what, said.content), true;
      case said_as::rejected:
        tell("rejects", what.key);
        if (work.refused(ticket, nack_kind::reject, 0, said.reason).ok())
          at_.in.judged.finished(what.key, at_.who, now());
        return true;
      case said_as::released:
        tell("releases", what.key);
        (void)work.refused(ticket, nack_kind::release, 0, {});
        return true;
      case said_as::kept: return true;
      case said_as::acked:
      case said_as::nacked: break;
    }
    return false;
  }

 protected:
  void hear(const multipart& frame, std::uint64_t left_ns) override {
    const std::uint32_t session = at_.wires.session().current().session;
    for (const message_key& key : take_stored(frame, session, replied_))
      at_.in.judged.confirmed(key, promise::disk, at_.who, left_ns, now());
  }

 private:
  void reply(const job& what, const simulated::parts& content) {
    std::vector<bytes_view> views;
    for (const std::string& part : content) views.push_back(as_part(part));
    const received_request& to = what.request;
    const status said =
        requests_.inner.reply(handed::ticket(to), static_cast<std::uint16_t>(to.attempt()), to.id(),
                              reply_status::ok, views, at_.wires.at().real_ns);
    if (!said.ok()) return tell("replies too late to", what.key);
    at_.of.replied(what.key, content);
    at_.in.judged.finished(what.key, at_.who, now());
    replied_[to.sequence()] = what.key;
  }

  simulated::request_handler call_;
  watched<replier_stream> requests_;
  std::map<std::uint64_t, message_key> replied_;  // by sequence
};

}  // namespace

std::unique_ptr<trade> make_replier_trade(const post& at, const simulated::request_handler& call) {
  return std::make_unique<replier_trade>(at, call);
}

}  // namespace holdfast::sim
