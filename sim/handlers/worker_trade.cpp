#include "devices/endpoints/handed.hpp"
#include "patterns/queue/assignment.hpp"
#include "sim/handlers/trade.hpp"

namespace holdfast::sim {
namespace {

using said_as = simulated::handled::as;

assignment_options one_by_one(std::uint32_t credit) {
  assignment_options options;
  options.whole_blocks = false;
  options.credit_messages = credit;
  return options;
}

class worker_trade final : public trade {
 public:
  worker_trade(const post& at, simulated::handler call)
      : trade(at), call_(std::move(call)), queue_(one_by_one(at.of.options().credit)) {}

  client_stream& stream() override { return queue_; }
  std::uint32_t epoch() const override { return queue_.stream_epoch; }

  void look() override {
    if (queue_.inner.take_acks_lost()) unconfirmed_.clear();
    if (unconfirmed_.empty() || !queue_.inner.acks_durable()) return;
    for (const message_key& key : unconfirmed_)
      at_.in.judged.confirmed(key, promise::disk, at_.who, at_.wires.left_ns(), now());
    unconfirmed_.clear();
  }

  bool take(job& into) override {
    delivered_run run;
    entry message;
    if (!queue_.inner.take(run, message)) return false;
    hand(run, message, channel_kind::pipeline, into);
    return true;
  }

  simulated::handled call(const job& what, simulated::process& self) override {
    return call_(what.message, self);
  }

  bool settle(const job& what, const simulated::handled& said) override {
    const delivery_ticket ticket = handed::ticket(what.message);
    switch (said.how) {
      case said_as::acked:
        if (!queue_.inner.acked(ticket).ok()) return tell("acks too late", what.key), true;
        unconfirmed_.push_back(what.key);
        return finish(what);
      case said_as::rejected:
        return !queue_.inner.refused(ticket, nack_kind::reject, 0, said.reason).ok() ||
               finish(what);
      case said_as::nacked:
        tell("nacks", what.key);
        (void)queue_.inner.refused(ticket, nack_kind::nack,
                                   static_cast<std::uint64_t>(said.delay.count()), said.reason);
        return true;
      case said_as::released:
        tell("releases", what.key);
        (void)queue_.inner.refused(ticket, nack_kind::release, 0, {});
        return true;
      case said_as::kept: return true;
      case said_as::replied: break;
    }
    return false;
  }

 private:
  bool finish(const job& what) {
    at_.in.judged.finished(what.key, at_.who, now());
    return true;
  }

  simulated::handler call_;
  watched<assignment> queue_;
  std::vector<message_key> unconfirmed_;  // acked
};

}  // namespace

std::unique_ptr<trade> make_worker_trade(const post& at, const simulated::handler& call) {
  return std::make_unique<worker_trade>(at, call);
}

}  // namespace holdfast::sim
