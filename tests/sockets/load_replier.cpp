// load_replier: answers each request with `re` and its parts. Logs each request before its reply is
// given, and again once the reply is known to be durable, or to be lost with its session.
//
//   load_replier --endpoint EP --log FILE --service S [--credit N] [--salt N] [--heartbeat MS]
//
// Prints `running`; ends with its input.
#include "holdfast/reqrep.hpp"
#include "tests/sockets/load_history.hpp"

namespace {

using holdfast::milliseconds;

class program {
 public:
  explicit program(const load::arguments& given)
      : replier_(open(given)),
        log_(given.text("log")),
        history_(given, "replier"),
        salt_(given.number("salt")) {}

  void run() {
    load::say("running");
    while (!load::told()) {
      const auto request = replier_.receive(milliseconds(unsettled_.empty() ? 100 : 0));
      if (request) {
        answer(*request);
      } else if (request.kind() != holdfast::errc::timeout &&
                 request.kind() != holdfast::errc::would_block) {
        load::fail(request.text());
      }
      if (!request || unsettled_.size() >= unsettled_max) settle();
    }
    (void)replier_.close(milliseconds(5000));
  }

 private:
  static constexpr std::size_t unsettled_max = 16;  // replies whose outcome is not known yet

  static holdfast::replier open(const load::arguments& given) {
    holdfast::replier_options options;
    options.endpoint = given.text("endpoint");
    options.service = given.text("service");
    if (const auto credit = given.number("credit"))
      options.credit_messages = static_cast<std::uint32_t>(credit);
    if (const auto beat = given.number("heartbeat")) options.heartbeat = milliseconds(beat);
    auto opened = holdfast::replier::open(options);
    if (!opened) load::fail(opened.text());
    return std::move(opened).value();
  }

  void answer(const holdfast::received_request& request) {
    parts_.assign(request.parts().begin(), request.parts().end());
    const load::verdict seen = load::check(parts_, salt_);
    const load::record done{seen.sender,           seen.exact ? load::delivered : load::changed,
                            request.redelivered(), static_cast<std::uint16_t>(request.attempt()),
                            seen.number,           load::now_ns()};
    log_.write(done);
    history_.gets(done, request.sequence());
    history_.done(done);
    history_.write();
    parts_.insert(parts_.begin(), holdfast::as_part("re"));
    const bool said = replier_.reply(request, parts_).ok();
    unsettled_.push_back(done);
    if (!said) tell(load::stale);
  }

  void settle() {
    const holdfast::status outcome = replier_.flush(milliseconds(100));
    if (outcome.kind() == holdfast::errc::timeout) return;
    tell(outcome.ok() ? load::ack_confirmed : load::stale);
  }

  // What became of all that is not settled; where one of them is stale, none is sure.
  void tell(load::event what) {
    for (load::record& one : unsettled_) {
      one.what = what;
      one.time_ns = load::now_ns();
      if (what == load::ack_confirmed) history_.confirmed(one, 0);
    }
    log_.write(unsettled_);
    history_.write();
    unsettled_.clear();
  }

  holdfast::replier replier_;
  load::log_file log_;
  load::history history_;
  std::uint64_t salt_;
  std::vector<holdfast::part_view> parts_;
  std::vector<load::record> unsettled_;
};

}  // namespace

int main(int argc, char** argv) {
  program(load::arguments(argc, argv)).run();
}
