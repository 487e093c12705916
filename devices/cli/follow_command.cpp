// journal follow: what is in a journal from some place on, and then whatever is written to it.
#include <poll.h>
#include <unistd.h>

#include "devices/cli/commands.hpp"
#include "devices/cli/decode_option.hpp"
#include "devices/cli/journal_print.hpp"
#include "devices/cli/lines.hpp"
#include "devices/cli/report.hpp"
#include "devices/cli/stop_signals.hpp"
#include "journal/reader.hpp"

namespace holdfast::cli {
namespace {

constexpr std::uint64_t poll_every_ns = 100 * ms_ns;

class tail {
 public:
  tail(const follow_args& args, journal_follower from, journal_names names)
      : args_(args), from_(std::move(from)), names_(std::move(names)) {}

  int run() {
    line_format format{.json = args_.json, .separator = {}};
    decode_option decode;
    if (status opened = decode.open(args_.decode, format); !opened) return fail(opened);
    last_ns_ = monotonic_now();
    while (!(args_.count && taken_ == *args_.count)) {
      const followed found = from_.next();
      if (found.what == followed::kind::record) {
        print(found.seen, format);
      } else if (found.what != followed::kind::idle) {
        notice(found);
      } else if (!writer_.pending().empty()) {
        if (status wrote = writer_.flush(); !wrote) return fail(wrote);
      } else if (!wait()) {
        break;
      }
      if (!writer_.full()) continue;
      if (status wrote = writer_.flush(); !wrote) return fail(wrote);
      if (signals_.take()) break;
    }
    if (status wrote = writer_.flush(); !wrote) return fail(wrote);
    if (!timed_out_) return done;
    complain("journal '" + args_.directory + "': nothing was written in the time allowed");
    return failed;
  }

 private:
  void print(const seen_record& seen, const line_format& format) {
    names_.take(seen.record);
    print_record(seen, names_, format, writer_.pending());
    last_ns_ = monotonic_now();
    ++taken_;
  }

  // Among the objects for a program, aside for a person.
  void notice(const followed& found) {
    std::string text;
    print_followed(found, args_.json, args_.json ? writer_.pending() : text);
    if (!text.empty()) complain(text.substr(0, text.size() - 1));
  }

  // False when the time is over, somebody wants an end, or nobody reads any more.
  bool wait() {
    std::uint64_t pause = poll_every_ns;
    if (args_.timeout_ns) {
      const std::uint64_t spent = monotonic_now() - last_ns_;
      timed_out_ = spent >= *args_.timeout_ns;
      if (timed_out_) return false;
      pause = std::min(pause, *args_.timeout_ns - spent);
    }
    pollfd waits[] = {{signals_.fd(), POLLIN, 0}, {STDOUT_FILENO, 0, 0}};
    return ::poll(waits, 2, static_cast<int>((pause + ms_ns - 1) / ms_ns)) == 0;
  }

  const follow_args& args_;
  journal_follower from_;
  journal_names names_;
  stop_signals signals_;
  line_writer writer_;
  std::uint64_t last_ns_ = 0;  // when the last record came
  std::uint64_t taken_ = 0;
  bool timed_out_ = false;
};

}  // namespace

int run(const follow_args& args) {
  auto reader = journal_reader::open(args.directory);
  if (!reader) return fail(reader.take_status());
  auto follower = journal_follower::open(args.directory, args.from, system_now);
  if (!follower) return fail(follower.take_status());
  if (const checkpoint_info* newest = (*reader)->info().newest_checkpoint())
    follower->prove(newest->position);
  journal_names names;
  if (status told = learn_names(**reader, follower->position(), names); !told) return fail(told);
  reader->reset();
  return tail(args, std::move(*follower), std::move(names)).run();
}

}  // namespace holdfast::cli
