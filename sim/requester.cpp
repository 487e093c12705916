#include <algorithm>
#include <cstring>

#include "sim/requests.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t patience_ns = 10 * second_ns;

bytes16 id_of(const message_key& key) {
  bytes16 id{};
  std::memcpy(id.data(), &key.producer, 4);
  std::memcpy(id.data() + 4, &key.life, 4);
  std::memcpy(id.data() + 8, &key.number, 8);
  return id;
}

message_key key_of(const bytes16& id) {
  message_key key;
  std::memcpy(&key.producer, id.data(), 4);
  std::memcpy(&key.life, id.data() + 4, 4);
  std::memcpy(&key.number, id.data() + 8, 8);
  return key;
}

message_parts parts_of(const reply_taken& reply) {
  message_parts got;
  if (reply.lengths.empty()) {
    got.emplace_back(reply.data.begin(), reply.data.end());
    return got;
  }
  std::size_t at = 0;
  for (std::size_t i = 0; i < reply.lengths.size(); i += 4) {
    const auto size = load<std::uint32_t>(reply.lengths.data() + i);
    const bytes_view part = reply.data.subspan(at, size);
    got.emplace_back(part.begin(), part.end());
    at += size;
  }
  return got;
}

conversation_options options_of(const requester_plan& plan) {
  conversation_options o;
  o.named = plan.named;
  o.keep = plan.keep;
  o.max_message = 1 << 20;
  return o;
}

}  // namespace

struct requester::life {
  explicit life(const conversation_options& options) : talk(options) {}
  conversation talk;
  std::unique_ptr<wiring> wires;
};

requester::requester(const requester_plan& plan, surroundings in, std::uint64_t seed)
    : application("requester " + std::to_string(plan.number), in, seed), plan_(plan) {}

requester::~requester() = default;

void requester::start() {
  ++lives_;
  tell("starts", {}, lives_);
  if (plan_.named) {
    again_.assign(open_.rbegin(), open_.rend());
  } else {
    for (const message_key& key : open_) in_.judged.abandoned(key, now());
    open_.clear();
  }
  now_ = std::make_shared<life>(options_of(plan_));
  connection link = plan_.link;
  if (plan_.named) link.session.producer_id = name();
  now_->wires = std::make_unique<wiring>(std::move(link), in_, random_.next());
  now_->wires->session().add(now_->talk.sending());
  now_->wires->session().add(now_->talk.answers());
  now_->wires->after = [this, weak = std::weak_ptr(now_)] {
    if (const auto l = weak.lock()) look(*l);
  };
  now_->wires->start();
  tick_later();
}

void requester::die() {
  if (!now_) return;
  tell("is killed");
  now_->wires.reset();
  now_ = nullptr;
  come_back([this] { start(); });
}

void requester::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

void requester::behave() {
  behaving_ = true;
  patient_until_ns_ = now() + patience_ns;
}

bool requester::done() const {
  return now_ && made_ >= plan_.requests && open_.empty();
}

void requester::tick_later() {
  in_.time.after(1 + random_.below(plan_.pause_max_ns), [this, generation = generation_] {
    if (generation == generation_) tick();
  });
}

void requester::tick() {
  const auto l = now_;
  if (!l) return;
  std::uint64_t left = 1 + random_.below(plan_.burst_max);
  if (!l->wires->paused()) {
    while (!again_.empty() && ask(*l, again_.back())) again_.pop_back();
    for (; left > 0 && again_.empty() && made_ < plan_.requests; --left) {
      const std::uint32_t who = plan_.named ? plan_.number : plan_.number + lives_factor * lives_;
      if (!ask(*l, {who, 0, made_ + 1})) break;
      ++made_;
    }
    check_deadlines(*l);
  }
  l->wires->pump();
  tick_later();
}

bool requester::ask(life& l, const message_key& key) {
  const message_parts message =
      plan_.content ? plan_.content(key) : make_message(key, plan_.largest);
  std::vector<bytes_view> views;
  for (const auto& part : message) views.emplace_back(part.data(), part.size());
  const instant at = l.wires->at();
  request_terms terms;
  terms.id = id_of(key);
  if (plan_.deadline_ns != 0) {
    terms.deadline_ns = at.now_ns + plan_.deadline_ns;
    terms.deadline_ms = (at.real_ns + plan_.deadline_ns) / ms_ns;
  }
  const status asked = l.talk.ask(terms, views, at);
  if (asked.ok()) {
    in_.judged.sent(key, channel_kind::reqrep, now(), terms.deadline_ms * ms_ns);
    open_.insert(key);
    return true;
  }
  if (asked.kind() != errc::would_block)
    in_.judged.fail(endpoint, "a request is not taken: " + std::string(asked.text()), key, now());
  return false;
}

void requester::look(life& l) {
  if (!l.talk.failure().ok())
    in_.judged.fail(endpoint, "requester: " + std::string(l.talk.failure().text()), {}, now());
  if (l.wires->paused()) return;
  while (const auto id = l.talk.next_answered())
    if (!take(l, key_of(*id))) break;
  if (!l.wires->session().final()) return;
  // A late HELLO of a former life took its name: its program ends, and is started again.
  tell("finds itself replaced");
  in_.time.after(1, [this, weak = std::weak_ptr(now_)] {
    if (weak.lock() == now_) die();
  });
}

bool requester::take(life& l, const message_key& key) {
  const result<reply_taken> got = l.talk.take(id_of(key), l.wires->at());
  if (!got && got.kind() == errc::would_block) return false;
  answer what;
  what.request = key;
  what.now_ns = now();
  what.real_max_ns = in_.time.real_max();
  if (got) {
    what.status = got->status;
    what.exact = what.status == 200 && right(key, parts_of(*got));
  } else if (got.kind() == errc::expired) {
    what.here = true;
  } else {
    in_.judged.fail(endpoint, "no answer: " + std::string(got.text()), key, now());
  }
  in_.judged.answered(what, name());
  finish(l, key);
  return true;
}

bool requester::right(const message_key& key, const message_parts& reply) const {
  return plan_.right ? plan_.right(key, reply)
                     : reply == make_message(reply_to(key), plan_.largest);
}

void requester::finish(life& l, const message_key& key) {
  if (plan_.keep) l.talk.forget(id_of(key));
  open_.erase(key);
}

void requester::check_deadlines(life& l) {
  const std::set<message_key> waiting = open_;
  for (const message_key& key : waiting) {
    const std::uint64_t until = l.talk.deadline_ns(id_of(key));
    if (until != 0 && until <= l.wires->at().now_ns) (void)take(l, key);
    // What the level allowed to lose, nobody answers: people give up some time.
    if (!behaving_ || now() < patient_until_ns_ || !in_.judged.known().maybe_lost(key)) continue;
    l.talk.forget(id_of(key));
    in_.judged.abandoned(key, now());
    open_.erase(key);
  }
}

}  // namespace holdfast::sim
