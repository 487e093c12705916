#include "sim/subscriber.hpp"

namespace holdfast::sim {

struct subscriber::life {
  explicit life(const subscriber_stream_options& options) : messages(options) {}
  watched<subscriber_stream> messages;
  std::unique_ptr<wiring> wires;
  struct origin {
    std::uint64_t left_ns = 0;
    std::uint32_t epoch = 0;
  };
  std::map<const std::byte*, origin> from;  // body received -> when and in which epoch it left
  std::uint64_t attachments = 0;            // told to the judge
  std::uint32_t epoch = 0;
  std::uint64_t acked = 0, confirmed = 0;
  bool working = false;
};

subscriber::subscriber(const subscriber_plan& plan, surroundings in, std::uint64_t seed)
    : application("subscriber " + std::to_string(plan.number), in, seed), plan_(plan) {
  if (plan_.topic != 0) topic_ = topic_of(plan_.topic);
}

subscriber::~subscriber() = default;

void subscriber::begin_anew() {
  if (subscription_ != 0) in_.judged.subscription_ended(subscription_);
  subscription_ = plan_.number * 1000 + ++incarnation_;
}

void subscriber::start() {
  if (subscription_ == 0 || !plan_.durable) begin_anew();
  tell("starts", {}, subscription_);
  in_.judged.subscriber_began(subscription_);
  subscriber_stream_options options;
  if (plan_.durable) options.durable = name() + "." + std::to_string(incarnation_);
  options.start = plan_.from;
  if (!topic_.empty()) options.prefixes.push_back(topic_);
  options.credit_messages = plan_.credit_messages;
  options.credit_bytes = plan_.credit_bytes;
  now_ = std::make_shared<life>(options);
  now_->wires = std::make_unique<wiring>(plan_.link, in_, random_.next());
  now_->wires->session().add(now_->messages);
  const auto weak = std::weak_ptr(now_);
  now_->wires->before = [weak](const multipart& frame, std::uint64_t left_ns) {
    if (const auto l = weak.lock(); l && frame.size() == 2)
      l->from[frame[1].data()] = {left_ns, l->messages.stream_epoch};
  };
  now_->wires->after = [this, weak] {
    if (const auto l = weak.lock()) look(*l);
  };
  now_->wires->start();
}

void subscriber::die() {
  if (!now_) return;
  tell("is killed");
  now_->wires.reset();
  now_ = nullptr;
  if (!plan_.durable) in_.judged.subscription_ended(subscription_);
  come_back([this] { start(); });
}

void subscriber::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

void subscriber::look(life& l) {
  subscriber_stream& stream = l.messages.inner;
  if (!stream.failure().ok()) {
    // The device lost it with its power, or a power loss below level disk took its name away.
    if (!in_.judged.known().gone_since(plan_.channel_level, named_ns_))
      in_.judged.fail(endpoint, "subscriber: " + std::string(stream.failure().text()), {}, now());
    tell("begins anew");
    begin_anew();
    in_.time.after(1, [this, weak = std::weak_ptr(now_)] {
      if (weak.lock() == now_ && now_) die();
    });
    return;
  }
  if (l.attachments != l.messages.attachments) {
    l.attachments = l.messages.attachments;
    if (std::exchange(named_, subscription_) != subscription_) named_ns_ = l.wires->left_ns();
    if (std::exchange(l.epoch, l.messages.stream_epoch) != l.messages.stream_epoch)
      l.acked = l.confirmed = 0;  // sequences of the old epoch mean nothing any more
    in_.judged.attached({subscription_,
                         topic_,
                         plan_.durable,
                         plan_.from == start_at::first,
                         {1, l.messages.stream_epoch, l.messages.next_sequence},
                         now()},
                        name());
  }
  if (plan_.durable && l.acked > l.confirmed && stream.acks_durable()) {
    l.confirmed = l.acked;
    in_.judged.passed(subscription_, {1, l.messages.stream_epoch, l.acked}, plan_.channel_level,
                      l.wires->left_ns(), now());
  }
  for (const gap& lost : stream.take_gaps())
    in_.judged.gap(subscription_, lost.messages.first, lost.messages.count, name(), now());
  if (!l.wires->paused() && !l.working) take(l);
}

/// Some of what is there, then it is busy for a while.
void subscriber::take(life& l) {
  delivered_run run;
  entry message;
  std::uint64_t last = 0;
  for (std::uint64_t left = 1 + random_.below(20); left > 0; --left) {
    if (!l.messages.inner.take(run, message)) break;
    message_parts got;
    for_each_part(message, [&](bytes_view part) { got.emplace_back(part.begin(), part.end()); });
    delivery how;
    how.who = name();
    how.channel = channel_kind::pubsub;
    const life::origin from = l.from[run.body->data()];
    how.where = {1, from.epoch, run.sequence()};
    how.left_ns = from.left_ns;
    how.now_ns = now();
    how.subscription = subscription_;
    how.again = run.head.redelivered != 0;
    in_.judged.delivered(how, got);
    last = run.sequence();
  }
  if (last != 0) ack_later(l, last);
}

void subscriber::ack_later(life& l, std::uint64_t sequence) {
  l.working = true;
  in_.time.after(1 + random_.below(plan_.work_max_ns),
                 [this, weak = std::weak_ptr(now_), sequence] {
                   const auto alive = weak.lock();
                   if (!alive || !alive->wires) return;
                   alive->working = false;
                   if (behaving_ || random_.chance(70)) {
                     if (alive->messages.inner.acked_through(sequence).ok())
                       alive->acked = std::max(alive->acked, sequence);
                   }
                   alive->wires->pump();
                 });
}

}  // namespace holdfast::sim
