#include "sim/producer.hpp"

#include <algorithm>

namespace holdfast::sim {
namespace {

constexpr std::uint64_t absent_max_ns = 400 * ms_ns;

promise promised(level reached) {
  return static_cast<promise>(static_cast<std::uint8_t>(reached));
}

}  // namespace

producer::producer(producer_plan plan, scheduler& time, network& net, checker& judge, story& told,
                   std::uint64_t seed)
    : plan_(std::move(plan)), time_(time), net_(net), checker_(judge), story_(told), random_(seed) {
  if (plan_.kind == producer_kind::plain) checker_.unordered(plan_.number);
}

producer::~producer() = default;

std::string producer::name() const {
  return "producer " + std::to_string(plan_.number);
}

message_key producer::key_of(const life& l, std::uint64_t number) const {
  switch (plan_.kind) {
    case producer_kind::unnamed: return {plan_.number + 1000 * l.number, 0, number};
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
  story_.tell(time_.now(), "starts", name(), {}, lives_);
  if (plan_.kind == producer_kind::plain) {
    plain_line_ = net_.open(line_kind::plain_in, [](const multipart&, std::uint64_t) {});
    return;
  }
  outbox_options options;
  options.need = plan_.need;
  options.named = plan_.kind != producer_kind::unnamed;
  options.max_message = 1 << 20;
  now_ = std::make_shared<life>(options);
  now_->number = lives_;
  session_client_options session = plan_.session;
  if (options.named) session.producer_id = name();
  now_->wires = std::make_unique<wiring>(session, time_, net_, random_.next());
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
  const std::uint64_t generation = ++generation_;
  if (now_) former_.push_back(std::move(now_));
  time_.after(1 + random_.below(absent_max_ns), [this, generation] {
    if (generation != generation_) return;
    begin();
    tick_later();
  });
  now_ = nullptr;
}

void producer::die() {
  story_.tell(time_.now(), "is killed", name());
  net_.close(std::exchange(plain_line_, 0));
  if (now_) now_->wires.reset();
  end_soon();
}

void producer::be_replaced() {
  if (!now_ || plan_.kind != producer_kind::fresh) return;
  const std::uint64_t asleep = random_.below(2 * second_ns);
  story_.tell(time_.now(), "is stopped and replaced", name(), {}, asleep);
  now_->wires->pause(time_.now() + asleep);
  now_->wires->pump();
  end_soon();
}

void producer::pause(std::uint64_t for_ns) {
  if (!now_) return;
  story_.tell(time_.now(), "is stopped for a while", name(), {}, for_ns);
  now_->wires->pause(time_.now() + for_ns);
  now_->wires->pump();
}

bool producer::done() const {
  if (made_ < plan_.messages) return false;
  return plan_.kind == producer_kind::plain || (now_ && now_->awaiting.empty());
}

// ---- messages -----------------------------------------------------------------------------------

void producer::tick_later() {
  time_.after(1 + random_.below(plan_.pause_max_ns), [this, generation = generation_] {
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
  checker_.sent(key, time_.now());
  multipart frame;
  for (const auto& part : make_message(key, plan_.largest)) frame.push_back(copy_to_buffer(part));
  net_.send(plain_line_, std::move(frame));
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
    checker_.fail("a message is not taken: " + std::string(given.text()), key, time_.now());
    return false;
  }
  if (*given != number) checker_.fail("got number " + std::to_string(*given), key, time_.now());
  l.awaiting[number] = key;
  l.next = number + 1;
  ++made_;
  return true;
}

result<std::uint64_t> producer::hand_in(life& l, std::uint64_t number, const message_key& key) {
  const message_parts message = make_message(key, plan_.largest);
  std::vector<bytes_view> views;
  for (const auto& part : message) views.emplace_back(part.data(), part.size());
  const std::uint64_t now = time_.at().real_ns;
  auto given = plan_.kind == producer_kind::replayer ? l.box.submit_at(number, views, now)
                                                     : l.box.submit(views, now);
  if (given) checker_.sent(key, time_.now());
  return given;
}

void producer::look(life& l) {
  const promise at = promised(l.box.effective_level());
  while (!l.awaiting.empty() && l.awaiting.begin()->first <= l.box.accepted_through()) {
    const auto [number, key] = *l.awaiting.begin();
    l.awaiting.erase(l.awaiting.begin());
    checker_.accepted(key, at, l.wires->left_ns(), time_.now());
    if (plan_.kind == producer_kind::replayer && &l == now_.get())
      known_accepted_ = std::max(known_accepted_, number);
  }
  for (const rejection& r : l.box.take_rejections())
    checker_.given_up(key_of(l, r.number), time_.now());
  if (!l.box.failure().ok())
    checker_.fail("outbox: " + std::string(l.box.failure().text()), key_of(l, 0), time_.now());
  if (!l.wires->session().final() || &l != now_.get()) return;
  story_.tell(time_.now(), "finds itself replaced", name());
  end_soon();
}

}  // namespace holdfast::sim
