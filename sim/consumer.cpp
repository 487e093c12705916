#include "sim/consumer.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t absent_max_ns = 400 * ms_ns;
constexpr std::uint64_t plain_hold_max_ns = 20 * ms_ns;

/// An assignment that remembers in which epoch of the stream it works.
class watched_assignment final : public client_stream {
 public:
  explicit watched_assignment(assignment_options options) : inner(std::move(options)) {}
  attach request() const override { return inner.request(); }
  void on_attached(const attached& f, const welcome& limits, instant at) override {
    stream_epoch = f.stream_epoch;
    inner.on_attached(f, limits, at);
  }
  void on_attach_refused(const attach_refused& f) override { inner.on_attach_refused(f); }
  void on_session_lost() override { inner.on_session_lost(); }
  bool on_frame(const client_input& in, instant at) override { return inner.on_frame(in, at); }
  void on_tick(instant at) override { inner.on_tick(at); }
  bool next(client_frame& out, std::uint32_t session, instant at) override {
    return inner.next(out, session, at);
  }
  std::uint64_t next_deadline() const override { return inner.next_deadline(); }

  assignment inner;
  std::uint32_t stream_epoch = 0;
};

}  // namespace

struct worker::life {
  explicit life(assignment_options options) : queue(std::move(options)) {}
  std::uint32_t number = 0;
  watched_assignment queue;
  std::unique_ptr<wiring> wires;
  std::map<const std::byte*, std::uint64_t> left;  // body received -> when the device let go of it
  std::vector<message_key> unconfirmed;            // acked
};

worker::worker(worker_plan plan, scheduler& time, network& net, checker& judge, story& told,
               std::uint64_t seed)
    : plan_(std::move(plan)),
      time_(time),
      net_(net),
      checker_(judge),
      story_(told),
      random_(seed) {}

worker::~worker() = default;

void worker::start() {
  ++lives_;
  story_.tell(time_.now(), "starts", name(), {}, lives_);
  assignment_options options;
  options.whole_blocks = plan_.whole_blocks;
  options.credit_messages = plan_.credit_messages;
  options.credit_bytes = plan_.credit_bytes;
  now_ = std::make_shared<life>(options);
  now_->number = lives_;
  now_->wires = std::make_unique<wiring>(plan_.session, time_, net_, random_.next());
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
  story_.tell(time_.now(), "is killed", name());
  now_->wires.reset();
  now_ = nullptr;
  time_.after(1 + random_.below(absent_max_ns), [this, generation = ++generation_] {
    if (generation == generation_) start();
  });
}

void worker::pause(std::uint64_t for_ns) {
  if (!now_) return;
  story_.tell(time_.now(), "is stopped for a while", name(), {}, for_ns);
  now_->wires->pause(time_.now() + for_ns);
  now_->wires->pump();
}

void worker::look(life& l) {
  count_acks(l);
  if (!l.wires->paused()) take(l);
}

void worker::count_acks(life& l) {
  if (l.queue.inner.take_acks_lost()) l.unconfirmed.clear();
  if (l.unconfirmed.empty() || !l.queue.inner.acks_durable()) return;
  for (const message_key& key : l.unconfirmed)
    checker_.confirmed(key, plan_.channel_level, name(), l.wires->left_ns(), time_.now());
  l.unconfirmed.clear();
}

void worker::take(life& l) {
  delivered_run run;
  entry message;
  while (l.queue.inner.take(run, message)) {
    message_parts got;
    for_each_part(message, [&](bytes_view part) { got.emplace_back(part.begin(), part.end()); });
    delivery how;
    how.where = {l.queue.stream_epoch, run.sequence()};
    how.left_ns = l.left[run.body->data()];
    how.session = plan_.number * 1'000'000ull + l.number * 1000 + l.wires->session().sessions();
    how.again = run.head.redelivered != 0;
    const message_key key = checker_.delivered(name(), got, how, time_.now());
    const bool hangs = !behaving_ && random_.chance(plan_.hang_percent);
    const std::uint64_t work = 1 + random_.below(hangs ? plan_.hang_max_ns : plan_.work_max_ns);
    time_.after(work, [this, weak = std::weak_ptr(now_), what = run.next, key] {
      const auto alive = weak.lock();
      if (alive && alive->wires) handle(*alive, what, key);
    });
  }
}

void worker::handle(life& l, const delivery_ticket& what, const message_key& key) {
  assignment& queue = l.queue.inner;
  const std::uint32_t luck = behaving_ ? 100 : static_cast<std::uint32_t>(random_.below(100));
  std::uint32_t bound = plan_.nack_percent;
  if (luck < bound) {
    story_.tell(time_.now(), "nacks", name(), key);
    (void)queue.refused(what, nack_kind::nack, random_.below(300), "no");
  } else if (luck < (bound += plan_.release_percent)) {
    story_.tell(time_.now(), "releases", name(), key);
    (void)queue.refused(what, nack_kind::release, 0, "");
  } else if (luck < (bound += plan_.reject_percent)) {
    if (queue.refused(what, nack_kind::reject, 0, "never").ok())
      checker_.finished(key, name() + " (rejects)", time_.now());
  } else if (luck < bound + plan_.touch_percent) {
    (void)queue.touched(what, 500);
    time_.after(1 + random_.below(plan_.hang_max_ns),
                [this, weak = std::weak_ptr(now_), what, key] {
                  const auto alive = weak.lock();
                  if (alive && alive->wires) handle(*alive, what, key);
                });
  } else if (queue.acked(what).ok()) {
    checker_.finished(key, name(), time_.now());
    l.unconfirmed.push_back(key);
  }
  l.wires->pump();
}

// ---- plain --------------------------------------------------------------------------------------

plain_consumer::plain_consumer(std::uint32_t number, scheduler& time, network& net, checker& judge,
                               story& told, std::uint64_t seed)
    : number_(number), time_(time), net_(net), checker_(judge), story_(told), random_(seed) {}

plain_consumer::~plain_consumer() = default;

void plain_consumer::start() {
  story_.tell(time_.now(), "starts", name());
  line_ = net_.open(line_kind::plain_out, [this](const multipart& frame, std::uint64_t left_ns) {
    receive(frame, left_ns);
  });
}

/// What waits in its socket dies with it.
void plain_consumer::receive(const multipart& frame, std::uint64_t left_ns) {
  message_parts got;
  for (const buffer_ref& part : frame) got.emplace_back(part.bytes().begin(), part.bytes().end());
  const std::uint64_t hold = 1 + random_.below(plain_hold_max_ns);
  time_.after(hold, [this, alive = generation_, generation = *generation_, left_ns,
                     message = std::move(got)] {
    if (generation != *alive) return;
    const message_key key =
        checker_.delivered(name(), message, {{}, left_ns, 0, true}, time_.now());
    checker_.finished(key, name(), time_.now());
  });
}

void plain_consumer::die() {
  if (line_ == 0) return;
  story_.tell(time_.now(), "is killed", name());
  ++*generation_;
  net_.close(std::exchange(line_, 0));
  time_.after(1 + random_.below(absent_max_ns), [this, generation = *generation_] {
    if (generation == *generation_) start();
  });
}

}  // namespace holdfast::sim
