// load_producer: sends numbered messages at their numbers, and logs what was accepted as soon as it
// is known. Restarted with the same sender it repeats itself without doubling anything.
//
//   load_producer --endpoint EP --log FILE --sender N --count N [--first N] [--size B] [--spread B]
//                 [--rate N/s] [--salt N] [--heartbeat MS] [--topics 1]
//
// topics: each message begins with a topic, for a channel of pub/sub. count 0: until `stop` comes
// on standard input. Prints "accepted all LAST" at the end.
#include <chrono>
#include <optional>
#include <thread>

#include "holdfast/pipeline.hpp"
#include "tests/sockets/load_history.hpp"

namespace {

using holdfast::milliseconds;

constexpr std::uint64_t log_every = 64;  // messages sent between looks at what is accepted

class program {
 public:
  explicit program(const load::arguments& given)
      : log_(given.text("log"), sizeof(std::uint64_t)),
        history_(given, given.number("topics") != 0 ? "publisher" : "producer"),
        sender_(static_cast<std::uint32_t>(given.number("sender"))),
        count_(given.number("count")),
        next_(std::max<std::uint64_t>(1, given.number("first"))),
        salt_(given.number("salt")),
        rate_(given.number("rate")),
        size_(static_cast<std::uint32_t>(given.number("size"))),
        spread_(static_cast<std::uint32_t>(given.number("spread"))),
        endless_(count_ == 0),
        topics_(given.number("topics") != 0) {
    holdfast::producer_options options;
    options.endpoint = given.text("endpoint");
    options.id = "sender-" + std::to_string(sender_);
    if (const auto beat = given.number("heartbeat")) options.heartbeat = milliseconds(beat);
    auto opened = holdfast::producer::open(options);
    if (!opened) load::fail(opened.text());
    producer_.emplace(std::move(opened).value());
  }

  void run() {
    const load::pace pace(rate_);
    for (std::uint64_t sent = 0; endless_ ? !load::told() : sent < count_; ++sent) {
      send_next();
      if (sent % log_every == 0) log_accepted();
      while (!pace.due(sent + 1)) {
        log_accepted();
        std::this_thread::sleep_for(std::chrono::microseconds(200));  // the pace asked for
      }
    }
    for (;;) {
      const holdfast::status done = producer_->flush(milliseconds(50));
      log_accepted();
      if (done.ok()) break;
      if (done.kind() != holdfast::errc::timeout) load::fail(done.text());
    }
    load::say("accepted all " + std::to_string(next_ - 1));
  }

 private:
  void send_next() {
    const load::parts made = load::make(sender_, next_, salt_, size_, spread_);
    const std::string topic = load::topic_of(next_);
    std::vector<holdfast::part_view> views(made.begin(), made.end());
    if (topics_) views.insert(views.begin(), holdfast::as_part(topic));
    history_.sends(sender_, next_);
    history_.write();
    for (;;) {
      const auto sent = producer_->send_at(next_, views, milliseconds(50));
      if (sent) break;
      if (sent.kind() != holdfast::errc::timeout) load::fail(sent.text());
      log_accepted();
    }
    ++next_;
  }

  void log_accepted() {
    const std::uint64_t now = std::min(producer_->accepted_through(), next_ - 1);
    if (now == logged_) return;
    log_.write(&now, sizeof now);
    history_.accepted(sender_, now);
    history_.write();
    logged_ = now;
  }

  load::log_file log_;
  load::history history_;
  std::uint32_t sender_;
  std::uint64_t count_, next_, salt_, rate_;
  std::uint32_t size_, spread_;
  bool endless_, topics_;
  std::uint64_t logged_ = 0;
  std::optional<holdfast::producer> producer_;
};

}  // namespace

int main(int argc, char** argv) {
  program(load::arguments(argc, argv)).run();
}
