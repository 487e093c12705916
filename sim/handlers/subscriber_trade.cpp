#include "patterns/pubsub/subscriber_stream.hpp"
#include "sim/handlers/trade.hpp"

namespace holdfast::sim {
namespace {

using said_as = simulated::handled::as;

subscriber_stream_options everything(const std::string& name) {
  subscriber_stream_options options;
  options.durable = name;
  options.start = start_at::first;
  options.credit_messages = 16;
  return options;
}

class subscriber_trade final : public trade {
 public:
  subscriber_trade(const post& at, simulated::handler call)
      : trade(at), call_(std::move(call)), messages_(everything(at.who)) {
    at.in.judged.subscriber_began(subscription());
  }

  client_stream& stream() override { return messages_; }
  std::uint32_t epoch() const override { return messages_.stream_epoch; }

  void look() override {
    subscriber_stream& stream = messages_.inner;
    judge& judged = at_.in.judged;
    if (!stream.failure().ok())
      judged.fail(endpoint, at_.who + ": " + std::string(stream.failure().text()), {}, now());
    if (std::exchange(attachments_, messages_.attachments) != messages_.attachments) attached();
    if (acked_ > confirmed_ && stream.acks_durable()) {
      confirmed_ = acked_;
      judged.passed(subscription(), {1, epoch(), acked_}, promise::disk, at_.wires.left_ns(),
                    now());
    }
    for (const gap& lost : stream.take_gaps())
      judged.gap(subscription(), lost.messages.first, lost.messages.count, at_.who, now());
  }

  bool take(job& into) override {
    delivered_run run;
    entry message;
    if (!messages_.inner.take(run, message)) return false;
    hand(run, message, channel_kind::pubsub, into, subscription());
    return true;
  }

  simulated::handled call(const job& what, simulated::process& self) override {
    return call_(what.message, self);
  }

  bool settle(const job& what, const simulated::handled& said) override {
    if (said.how == said_as::kept) return true;
    if (said.how != said_as::acked) return false;
    if (!messages_.inner.acked_through(what.message.sequence()).ok()) return true;
    acked_ = std::max(acked_, what.message.sequence());
    tell("acks everything up to", what.key);
    return true;
  }

 private:
  std::uint32_t subscription() const noexcept { return at_.number; }
  void attached() {
    if (std::exchange(epoch_, epoch()) != epoch())
      acked_ = confirmed_ = 0;  // sequences of the old epoch mean nothing any more
    at_.in.judged.attached(
        {subscription(), "", true, true, {1, epoch(), messages_.next_sequence}, now()}, at_.who);
  }

  simulated::handler call_;
  watched<subscriber_stream> messages_;
  std::uint64_t attachments_ = 0, acked_ = 0, confirmed_ = 0;
  std::uint32_t epoch_ = 0;
};

}  // namespace

std::unique_ptr<trade> make_subscriber_trade(const post& at, const simulated::handler& call) {
  return std::make_unique<subscriber_trade>(at, call);
}

}  // namespace holdfast::sim
