#include "sim/consumer.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t plain_hold_max_ns = 20 * ms_ns;

}  // namespace

struct worker::life {
  explicit life(const assignment_options& options) : queue(options) {}
  std::uint32_t number = 0;
  watched<assignment> queue;
  std::unique_ptr<wiring> wires;
  std::map<const std::byte*, std::uint64_t> left;  // body received -> when the device let go of it
  std::vector<message_key> unconfirmed;            // acked
};

worker::worker(const worker_plan& plan, surroundings in, std::uint64_t seed)
    : application("worker " + std::to_string(plan.number), in, seed), plan_(plan) {}

worker::~worker() = default;

void worker::start() {
  ++lives_;
  tell("starts", {}, lives_);
  assignment_options options;
  options.address = plan_.address;
  options.whole_blocks = plan_.whole_blocks;
  options.credit_messages = plan_.credit_messages;
  options.credit_bytes = plan_.credit_bytes;
  now_ = std::make_shared<life>(options);
  now_->number = lives_;
  now_->wires = std::make_unique<wiring>(plan_.link, in_, random_.next());
  now_->wires->session().add(now_->queue);
  const auto weak = std::weak_ptr(now_);
  now_->wires->before = [weak](const multipart& frame, std::uint64_t left_ns) {
    if (const auto l = weak.lock(); l && frame.size() == 2) l->left[frame[1].data()] = left_ns;
  };
  now_->wires->after = [this, weak] {
    if (const auto l = weak.lock()) look(*l);
  };
  now_->wires->start();
}

void worker::die() {
  if (!now_) return;
  tell("is killed");
  killed_ns_ = now();
  now_->wires.reset();
  now_ = nullptr;
  come_back([this] { start(); });
}

void worker::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

void worker::look(life& l) {
  count_acks(l);
  if (!l.wires->paused()) take(l);
}

void worker::count_acks(life& l) {
  if (l.queue.inner.take_acks_lost()) l.unconfirmed.clear();
  if (l.unconfirmed.empty() || !l.queue.inner.acks_durable()) return;
  for (const message_key& key : l.unconfirmed)
    in_.judged.confirmed(key, plan_.channel_level, name(), l.wires->left_ns(), now());
  l.unconfirmed.clear();
}

void worker::take(life& l) {
  delivered_run run;
  entry message;
  while (l.queue.inner.take(run, message)) {
    message_parts got;
    for_each_part(message, [&](bytes_view part) { got.emplace_back(part.begin(), part.end()); });
    delivery how;
    how.who = name();
    how.channel = channel_kind::pipeline;
    how.where = {plan_.line, l.queue.stream_epoch, run.sequence()};
    how.left_ns = l.left[run.body->data()];
    how.now_ns = now();
    how.session = plan_.number * 1'000'000ull + l.number * 1000 + l.wires->session().sessions();
    how.killed_ns = killed_ns_;
    how.again = run.head.redelivered != 0;
    const message_key key = in_.judged.delivered(how, got);
    const bool hangs = !behaving_ && random_.chance(plan_.ways.hang_percent);
    const std::uint64_t work =
        1 + random_.below(hangs ? plan_.ways.hang_max_ns : plan_.ways.work_max_ns);
    in_.time.after(work, [this, weak = std::weak_ptr(now_), what = run.next, key] {
      const auto alive = weak.lock();
      if (alive && alive->wires) handle(*alive, what, key);
    });
  }
}

void worker::handle(life& l, const delivery_ticket& what, const message_key& key) {
  assignment& queue = l.queue.inner;
  const manners& ways = plan_.ways;
  const std::uint32_t luck = behaving_ ? 100 : static_cast<std::uint32_t>(random_.below(100));
  std::uint32_t bound = ways.nack_percent;
  if (luck < bound) {
    tell("nacks", key);
    (void)queue.refused(what, nack_kind::nack, random_.below(300), "no");
  } else if (luck < (bound += ways.release_percent)) {
    tell("releases", key);
    (void)queue.refused(what, nack_kind::release, 0, "");
  } else if (luck < (bound += ways.reject_percent)) {
    if (queue.refused(what, nack_kind::reject, 0, "never").ok())
      in_.judged.finished(key, name(), now());
  } else if (luck < bound + ways.touch_percent) {
    (void)queue.touched(what, 500);
    in_.time.after(1 + random_.below(ways.hang_max_ns),
                   [this, weak = std::weak_ptr(now_), what, key] {
                     const auto alive = weak.lock();
                     if (alive && alive->wires) handle(*alive, what, key);
                   });
  } else if (queue.acked(what).ok()) {
    in_.judged.finished(key, name(), now());
    l.unconfirmed.push_back(key);
  }
  l.wires->pump();
}

// ---- plain --------------------------------------------------------------------------------------

plain_consumer::plain_consumer(std::uint32_t number, socket_id to, surroundings in,
                               std::uint64_t seed)
    : application("plain consumer " + std::to_string(number), in, seed), to_(to) {}

plain_consumer::~plain_consumer() = default;

void plain_consumer::start() {
  tell("starts");
  line_ = in_.net.open(
      to_, [this](const multipart& frame, std::uint64_t left_ns) { receive(frame, left_ns); });
}

/// What waits in its socket dies with it.
void plain_consumer::receive(const multipart& frame, std::uint64_t left_ns) {
  message_parts got;
  for (const buffer_ref& part : frame) got.emplace_back(part.bytes().begin(), part.bytes().end());
  const std::uint64_t hold = 1 + random_.below(plain_hold_max_ns);
  in_.time.after(hold, [this, generation = generation_, left_ns, message = std::move(got)] {
    if (generation != generation_) return;
    delivery how;
    how.who = name();
    how.left_ns = left_ns;
    how.now_ns = now();
    how.again = true;
    const message_key key = in_.judged.delivered(how, message);
    in_.judged.finished(key, name(), now());
  });
}

void plain_consumer::die() {
  if (line_ == 0) return;
  tell("is killed");
  in_.net.close(std::exchange(line_, 0));
  come_back([this] { start(); });
}

}  // namespace holdfast::sim
