#include "patterns/frame_codec.hpp"
#include "sim/requests.hpp"

namespace holdfast::sim {

std::vector<message_key> take_stored(const multipart& frame, std::uint32_t session,
                                     std::map<std::uint64_t, message_key>& replied) {
  std::vector<message_key> taken;
  const auto prefix = decode_prefix(frame[0].bytes());
  if (!prefix || prefix->type != frame_type::replied || prefix->session != session) return taken;
  const auto said = decode_replied(frame[0].bytes());
  if (!said || said->outcome != reply_outcome::stored) return taken;
  const auto first = replied.lower_bound(said->requests.first);
  const auto end = replied.lower_bound(said->requests.end());
  for (auto at = first; at != end; ++at) taken.push_back(at->second);
  replied.erase(first, end);
  return taken;
}

struct replier::job {
  delivery_ticket ticket;
  std::uint16_t attempt = 1;
  bytes16 id{};
  std::uint64_t sequence = 0;
  message_key key;
};

struct replier::life {
  explicit life(const replier_stream_options& options) : requests(options) {}
  std::uint32_t number = 0;
  watched<replier_stream> requests;
  std::unique_ptr<wiring> wires;
  std::map<const std::byte*, std::uint64_t> left;  // body received -> when the device let go of it
  std::map<std::uint64_t, message_key> replied;    // by sequence
};

replier::replier(const replier_plan& plan, surroundings in, std::uint64_t seed)
    : application("replier " + std::to_string(plan.number), in, seed), plan_(plan) {}

replier::~replier() = default;

void replier::start() {
  ++lives_;
  tell("starts", {}, lives_);
  replier_stream_options options;
  options.worker = name();
  options.credit_messages = plan_.credit_messages;
  now_ = std::make_shared<life>(options);
  now_->number = lives_;
  now_->wires = std::make_unique<wiring>(plan_.link, in_, random_.next());
  now_->wires->session().add(now_->requests);
  const auto weak = std::weak_ptr(now_);
  now_->wires->before = [this, weak](const multipart& frame, std::uint64_t left_ns) {
    if (const auto l = weak.lock()) hear(*l, frame, left_ns);
  };
  now_->wires->after = [this, weak] {
    if (const auto l = weak.lock()) look(*l);
  };
  now_->wires->start();
}

void replier::die() {
  if (!now_) return;
  tell("is killed");
  now_->wires.reset();
  now_ = nullptr;
  come_back([this] { start(); });
}

void replier::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

void replier::hear(life& l, const multipart& frame, std::uint64_t left_ns) {
  if (frame.size() == 2) {
    l.left[frame[1].data()] = left_ns;
    return;
  }
  const std::uint32_t session = l.wires->session().current().session;
  for (const message_key& key : take_stored(frame, session, l.replied))
    in_.judged.confirmed(key, plan_.channel_level, name(), left_ns, now());
}

void replier::look(life& l) {
  if (!l.requests.inner.failure().ok())
    in_.judged.fail(endpoint, "replier: " + std::string(l.requests.inner.failure().text()), {},
                    now());
  if (l.wires->paused()) return;
  request_taken taken;
  while (l.requests.inner.take(taken)) {
    message_parts got;
    entry message;
    message.flags = taken.lengths.empty() ? std::uint8_t{0} : entry_flag::multipart;
    message.lengths = taken.lengths;
    message.data = taken.data;
    for_each_part(message, [&](bytes_view part) { got.emplace_back(part.begin(), part.end()); });
    delivery how;
    how.who = name();
    how.channel = channel_kind::reqrep;
    how.where = {2, l.requests.stream_epoch, taken.run.sequence()};
    how.left_ns = l.left[taken.run.body->data()];
    how.left_real_ns = in_.time.real_at(how.left_ns);
    how.now_ns = now();
    how.session = plan_.number * 1'000'000ull + l.number * 1000 + l.wires->session().sessions();
    how.again = taken.run.head.redelivered != 0;
    const job what{taken.run.next, taken.run.head.attempt, taken.head.id, taken.run.sequence(),
                   in_.judged.delivered(how, got)};
    const bool hangs = !behaving_ && random_.chance(plan_.ways.hang_percent);
    const std::uint64_t work =
        1 + random_.below(hangs ? plan_.ways.hang_max_ns : plan_.ways.work_max_ns);
    in_.time.after(work, [this, weak = std::weak_ptr(now_), what] {
      const auto alive = weak.lock();
      if (alive && alive->wires) handle(*alive, what);
    });
  }
}

void replier::handle(life& l, const job& what) {
  assignment& work = l.requests.inner.work();
  const manners& ways = plan_.ways;
  const std::uint32_t luck = behaving_ ? 100 : static_cast<std::uint32_t>(random_.below(100));
  std::uint32_t bound = ways.nack_percent;
  if (luck < bound) {
    tell("nacks", what.key);
    (void)work.refused(what.ticket, nack_kind::nack, random_.below(300), "no");
  } else if (luck < (bound += ways.release_percent)) {
    tell("releases", what.key);
    (void)work.refused(what.ticket, nack_kind::release, 0, "");
  } else if (luck < bound + ways.touch_percent) {
    (void)work.touched(what.ticket, 500);
    in_.time.after(1 + random_.below(ways.hang_max_ns), [this, weak = std::weak_ptr(now_), what] {
      const auto alive = weak.lock();
      if (alive && alive->wires) handle(*alive, what);
    });
  } else {
    answer_it(l, what);
  }
  l.wires->pump();
}

void replier::answer_it(life& l, const job& what) {
  const message_parts reply = make_message(reply_to(what.key), plan_.largest);
  std::vector<bytes_view> views;
  for (const auto& part : reply) views.emplace_back(part.data(), part.size());
  const status said = l.requests.inner.reply(what.ticket, what.attempt, what.id, reply_status::ok,
                                             views, l.wires->at().real_ns);
  if (!said.ok()) return;  // its session is gone: another replier has it
  in_.judged.finished(what.key, name(), now());
  l.replied[what.sequence] = what.key;
}

}  // namespace holdfast::sim
