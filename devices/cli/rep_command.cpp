#include <poll.h>

#include <algorithm>

#include "devices/cli/answering.hpp"
#include "devices/cli/commands.hpp"
#include "devices/cli/plain_commands.hpp"
#include "devices/cli/reliable.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/stop_signals.hpp"
#include "holdfast/reqrep.hpp"

namespace holdfast::cli {
namespace {

constexpr milliseconds close_patience{10'000};

class answerer {
 public:
  answerer(const rep_args& args, const stop_signals& signals, replier from)
      : args_(args), signals_(signals), from_(std::move(from)) {}

  // Answers until enough came, nothing comes any more, or a signal; the exit status.
  int run() {
    while (!args_.count || taken_ < *args_.count) {
      if (!wait()) break;
      auto got = from_.receive(milliseconds(0));
      if (got.kind() == errc::would_block || got.kind() == errc::timeout) continue;
      if (!got) return fail(got.take_status());
      settle(*got);
      ++taken_;
    }
    const status closed = from_.close(close_patience);
    if (!closed && taken_ > 0)
      complain("the last replies are not confirmed (" + std::string(closed.text()) + ")");
    if (!args_.count || taken_ == *args_.count) return done;
    complain("endpoint '" + args_.endpoint + "': " + std::to_string(taken_) + " of " +
             std::to_string(*args_.count) + " requests came");
    return failed;
  }

 private:
  bool wait() {
    pollfd waits[] = {{from_.fd(), POLLIN, 0}, {signals_.fd(), POLLIN, 0}};
    const milliseconds limit = to_ms(args_.timeout_ns);
    const int most =
        limit == forever ? -1 : static_cast<int>(std::min<long>(limit.count(), 1 << 30));
    const int ready = ::poll(waits, 2, most);
    return ready != 0 && (waits[1].revents & POLLIN) == 0;
  }

  void settle(const received_request& request) {
    std::vector<std::string_view> parts;
    for (const part_view part : request.parts()) parts.push_back(as_text(part));
    const auto made = answer(args_.format, args_.exec, parts, [&] { (void)from_.touch(request); });
    status said;
    if (made) {
      std::vector<part_view> views;
      for (const std::string& part : *made) views.push_back(as_part(part));
      said = from_.reply(request, views);
    } else {
      complain("request " + std::to_string(request.sequence()) + ": " + std::string(made.text()));
      said = from_.reject(request, std::string(made.text()));
    }
    if (!said && said.kind() != errc::closed)
      complain("request " + std::to_string(request.sequence()) + ": " + std::string(said.text()));
  }

  const rep_args& args_;
  const stop_signals& signals_;
  replier from_;
  std::uint64_t taken_ = 0;
};

}  // namespace

int run(const rep_args& args) {
  if (args.plain) return rep_plain(args);
  replier_options options;
  if (const status holds = fill_endpoint(args.endpoint, options); !holds) return fail(holds);
  options.service = args.service;
  options.worker = "holdfast rep";
  const stop_signals signals;
  auto from = replier::open(options);
  if (!from) return fail(from.take_status());
  return answerer(args, signals, std::move(*from)).run();
}

}  // namespace holdfast::cli
