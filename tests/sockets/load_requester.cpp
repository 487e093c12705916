// load_requester: asks a service many times at once, each request under the id that is its number;
// logs what it asks before it does, and each reply as soon as it is there.
//
//   load_requester --endpoint EP --log FILE --sender N --service S [--count N] [--open N]
//                  [--rate N/s] [--take 0] [--size B] [--spread B] [--salt N] [--heartbeat MS]
//
// count 0: until `stop` comes on standard input. take 0: asks, and takes no reply before
// something comes on standard input. Prints `asked
// LAST` when all is asked, and `done LAST` when each has its reply.
#include "holdfast/reqrep.hpp"
#include "tests/sockets/load_history.hpp"

namespace {

using holdfast::milliseconds;

constexpr std::uint64_t open_default = 64;  // requests waiting for their replies

class program {
 public:
  explicit program(const load::arguments& given)
      : given_(given),
        log_(given.text("log")),
        history_(given, "requester"),
        sender_(static_cast<std::uint32_t>(given.number("sender"))),
        salt_(given.number("salt")),
        open_max_(given.has("open") ? given.number("open") : open_default),
        takes_(!given.has("take") || given.number("take") != 0),
        requester_(open(given)) {}

  void run() {
    const std::uint64_t count = given_.number("count");
    const load::pace pace(given_.number("rate"));
    while (count == 0 ? !load::told() : asked_ < count) {
      if (requester_.open_requests() < open_max_ && pace.due(asked_ + 1))
        ask();
      else
        take(milliseconds(1));
    }
    load::say("asked " + std::to_string(asked_));
    if (!takes_) load::wait_told();
    while (requester_.open_requests() > 0) take(milliseconds(100));
    if (const auto closed = requester_.close(milliseconds(20'000)); !closed)
      load::fail(closed.text());
    load::say("done " + std::to_string(asked_));
  }

 private:
  holdfast::requester open(const load::arguments& given) const {
    holdfast::requester_options options;
    options.endpoint = given.text("endpoint");
    options.id = "sender-" + std::to_string(sender_);
    if (const auto beat = given.number("heartbeat")) options.heartbeat = milliseconds(beat);
    auto opened = holdfast::requester::open(options);
    if (!opened) load::fail(opened.text());
    return std::move(opened).value();
  }

  void ask() {
    const std::uint64_t number = asked_ + 1;
    const load::parts made =
        load::make(sender_, number, salt_, static_cast<std::uint32_t>(given_.number("size")),
                   static_cast<std::uint32_t>(given_.number("spread")));
    const std::vector<holdfast::part_view> views(made.begin(), made.end());
    holdfast::request_options terms;
    terms.deadline = milliseconds(120'000);
    std::memcpy(terms.id.emplace().data(), &number, sizeof number);
    log(load::asked, number, 0);
    history_.sends(sender_, number);
    history_.write();
    if (const auto asked = requester_.ask(given_.text("service"), views, terms); !asked)
      load::fail(asked.text());
    asked_ = number;
  }

  void take(milliseconds timeout) {
    const auto reply = requester_.next(timeout);
    if (!reply) {
      if (reply.kind() != holdfast::errc::timeout) load::fail(reply.text());
      return;
    }
    std::uint64_t number = 0;
    std::memcpy(&number, reply->id().data(), sizeof number);
    std::vector<holdfast::part_view> parts(reply->parts().begin(), reply->parts().end());
    const bool begins = reply->ok() && holdfast::as_text(parts[0]) == "re";
    const load::verdict seen = load::check(std::span(parts).subspan(1), salt_);
    const bool right = begins && seen.exact && seen.sender == sender_ && seen.number == number;
    log(right ? load::answered : load::wrong, number, reply->status());
    history_.answered(sender_, number, reply->status(), right);
    history_.write();
  }

  void log(load::event what, std::uint64_t number, std::uint16_t status) {
    log_.write({sender_, what, 0, status, number, load::now_ns()});
  }

  load::arguments given_;
  load::log_file log_;
  load::history history_;
  std::uint32_t sender_;
  std::uint64_t salt_, open_max_;
  bool takes_;
  holdfast::requester requester_;
  std::uint64_t asked_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  program(load::arguments(argc, argv)).run();
}
