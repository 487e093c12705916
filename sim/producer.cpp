#include "sim/producer.hpp"

#include <algorithm>

namespace holdfast::sim {
namespace {

promise promised(level reached) {
  return static_cast<promise>(static_cast<std::uint8_t>(reached));
}

}  // namespace

producer::producer(const producer_plan& plan, surroundings in, std::uint64_t seed)
    : application((plan.channel == channel_kind::pubsub ? "publisher " : "producer ") +
                      std::to_string(plan.number),
                  in, seed),
      plan_(plan) {
  if (plan_.kind == producer_kind::plain) in_.judged.unordered(plan_.number);
}

producer::~producer() = default;

message_key producer::key_of(const life& l, std::uint64_t number) const {
  switch (plan_.kind) {
    case producer_kind::unnamed: return {plan_.number + lives_factor * l.number, 0, number};
    case producer_kind::fresh: return {plan_.number, l.number, number};
    case producer_kind::replayer:
    case producer_kind::plain: break;
  }
  return {plan_.number, 0, number};
}

// ---- runs ---------------------------------------------------------------------------------------

void producer::start() {
  begin();
  tick_later();
}

void producer::begin() {
  ++lives_;
  tell("starts", {}, lives_);
  if (plan_.kind == producer_kind::plain) {
    plain_line_ = in_.net.open(plan_.link.to, [](const multipart&, std::uint64_t) {});
    return;
  }
  outbox_options options;
  options.address = plan_.address;
  options.need = plan_.need;
  options.named = plan_.kind != producer_kind::unnamed;
  options.max_message = 1 << 20;
  now_ = std::make_shared<life>(options);
  now_->number = lives_;
  connection link = plan_.link;
  if (options.named) link.session.producer_id = name();
  now_->wires = std::make_unique<wiring>(std::move(link), in_, random_.next());
  now_->wires->session().add(now_->box);
  now_->wires->after = [this, weak = std::weak_ptr(now_)] {
    if (const auto l = weak.lock()) look(*l);
  };
  if (plan_.kind == producer_kind::replayer) {
    // What it wrote down for itself may lag behind what it was told.
    known_accepted_ -= random_.below(std::min<std::uint64_t>(known_accepted_, 20) + 1);
    made_ = known_accepted_;
  }
  now_->wires->start();
}

/// Ends the current run outside of any call of its own.
void producer::end_soon() {
  if (now_) former_.push_back(std::move(now_));
  now_ = nullptr;
  come_back([this] { start(); });
}

void producer::die() {
  tell("is killed");
  in_.net.close(std::exchange(plain_line_, 0));
  if (now_) now_->wires.reset();
  end_soon();
}

void producer::be_replaced() {
  if (!now_ || plan_.kind != producer_kind::fresh) return;
  const std::uint64_t asleep = random_.below(2 * second_ns);
  tell("is stopped and replaced", {}, asleep);
  now_->wires->pause(asleep);
  end_soon();
}

void producer::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

bool producer::done() const {
  if (made_ < plan_.messages) return false;
  return plan_.kind == producer_kind::plain || (now_ && now_->awaiting.empty());
}

// ---- messages -----------------------------------------------------------------------------------

void producer::tick_later() {
  in_.time.after(1 + random_.below(plan_.pause_max_ns), [this, generation = generation_] {
    if (generation == generation_) tick();
  });
}

void producer::tick() {
  const std::uint64_t burst = 1 + random_.below(plan_.burst_max);
  const auto l = now_;
  for (std::uint64_t i = 0; i < burst && made_ < plan_.messages; ++i)
    if (!(l ? submit(*l) : submit_plain())) break;
  if (l) l->wires->pump();
  tick_later();
}

bool producer::submit_plain() {
  const message_key key{plan_.number, 0, ++made_};
  in_.judged.sent(key, plan_.channel, now());
  multipart frame;
  for (const auto& part : make_message(key, plan_.largest)) frame.push_back(copy_to_buffer(part));
  in_.net.send(plain_line_, std::move(frame));
  return true;
}

bool producer::submit(life& l) {
  if (l.wires->paused()) return false;
  const std::uint64_t known = l.box.next_number();
  const bool named = plan_.kind != producer_kind::unnamed;
  if (named && known == 0) return false;
  std::uint64_t number = known != 0 ? known : l.next;
  if (plan_.kind == producer_kind::replayer) number = made_ + 1;
  const message_key key = key_of(l, number);
  const result<std::uint64_t> given = hand_in(l, number, key);
  if (!given) {
    if (given.kind() == errc::would_block) return false;
    if (in_.judged.known().rotted() && number > known) {  // it rotted with its numbers
      made_ = known - 1;
      return true;
    }
    in_.judged.fail(endpoint, "a message is not taken: " + std::string(given.text()), key, now());
    return false;
  }
  if (*given != number)
    in_.judged.fail(endpoint, "got number " + std::to_string(*given), key, now());
  l.awaiting[number] = key;
  l.next = number + 1;
  ++made_;
  return true;
}

result<std::uint64_t> producer::hand_in(life& l, std::uint64_t number, const message_key& key) {
  const message_parts message =
      plan_.content ? plan_.content(key) : make_message(key, plan_.largest);
  std::vector<bytes_view> views;
  for (const auto& part : message) views.emplace_back(part.data(), part.size());
  const std::uint64_t real_ns = l.wires->at().real_ns;
  auto given = plan_.kind == producer_kind::replayer ? l.box.submit_at(number, views, real_ns)
                                                     : l.box.submit(views, real_ns);
  if (given) in_.judged.sent(key, plan_.channel, now());
  return given;
}

void producer::look(life& l) {
  const promise at = promised(l.box.effective_level());
  while (!l.awaiting.empty() && l.awaiting.begin()->first <= l.box.accepted_through()) {
    const auto [number, key] = *l.awaiting.begin();
    l.awaiting.erase(l.awaiting.begin());
    in_.judged.accepted(key, at, promised(plan_.need), l.wires->left_ns(), now());
    if (plan_.kind == producer_kind::replayer && &l == now_.get())
      known_accepted_ = std::max(known_accepted_, number);
  }
  for (const rejection& r : l.box.take_rejections())
    in_.judged.given_up(key_of(l, r.number), now());
  if (!l.box.failure().ok())
    in_.judged.fail(endpoint, "outbox: " + std::string(l.box.failure().text()), key_of(l, 0),
                    now());
  if (!l.wires->session().final() || &l != now_.get()) return;
  tell("finds itself replaced");
  end_soon();
}

}  // namespace holdfast::sim
