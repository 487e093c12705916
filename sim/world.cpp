#include "sim/world.hpp"

#include "patterns/frame_codec.hpp"
#include "sim/faults.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t look_every_ns = 50 * ms_ns;
constexpr std::uint64_t steps_max = 4'000'000;
constexpr std::uint64_t linger_ns = 3 * second_ns;  // after the end: nothing more may come

std::string why_not_done(const party& all) {
  std::string text = "faults stopped long ago, and it has not come to an end:";
  if (!all.dev.running()) text += " the device is down;";
  for (const auto& p : all.producers)
    if (!p->done()) text += " " + p->name() + " has messages that are not accepted;";
  if (all.judge.open_count() != 0)
    text += " " + std::to_string(all.judge.open_count()) + " accepted messages are not finished;";
  if (all.dev.running() && all.dev.unfinished() != 0)
    text += " the device holds " + std::to_string(all.dev.unfinished()) + " messages;";
  return text;
}

bool all_done(const party& all) {
  if (!all.dev.running() || !all.judge.settled() || all.dev.unfinished() != 0) return false;
  for (const auto& p : all.producers)
    if (!p->done()) return false;
  return true;
}

/// Runs until `until` or a violation; looks now and then whether `enough` is reached.
template <class F>
bool run_until(party& all, std::uint64_t until, F enough) {
  std::uint64_t look_at = all.time.now();
  while (all.time.now() < until && !all.judge.failed() && all.time.steps() < steps_max) {
    if (all.time.now() >= look_at) {
      if (enough()) return true;
      look_at = all.time.now() + look_every_ns;
    }
    if (!all.time.step()) break;
  }
  if (all.time.steps() >= steps_max)
    all.judge.fail("does not come to rest: too many events", {}, all.time.now());
  return false;
}

/// The end: nothing may come any more, and a device that starts again finds the same state.
void check_the_end(party& all) {
  run_until(all, all.time.now() + linger_ns, [] { return false; });
  if (all.judge.failed()) return;
  all.dev.crash(crash_mode::process);
  if (!all.dev.start()) return all.judge.fail("does not start at the end", {}, all.time.now());
  run_until(all, all.time.now() + second_ns, [] { return false; });
  if (all.dev.unfinished() != 0)
    all.judge.fail("after a restart at the end the device has messages again", {}, all.time.now());
  all.judge.end(all.time.now());
}

void plant(party& all, planted bug) {
  if (bug == planted::accept_lost)
    all.net.eat = [](const multipart& frame) {
      const auto prefix = decode_prefix(frame[0].bytes());
      return prefix && prefix->type == frame_type::accept;
    };
}

outcome sum_up(party& all) {
  outcome o;
  o.ok = !all.judge.failed();
  o.why = all.judge.why();
  if (!o.ok)
    o.story =
        all.judge.about().producer != 0 ? all.told.about(all.judge.about()) : all.told.tail(200);
  o.hash = all.told.hash();
  o.steps = all.time.steps();
  o.virtual_ns = all.time.now();
  o.sent = all.judge.sent_count();
  o.accepted = all.judge.accepted_count();
  o.delivered = all.judge.delivered_count();
  o.duplicates = all.judge.duplicate_count();
  o.crashes = all.dev.crashes();
  o.cuts = all.net.cuts();
  return o;
}

}  // namespace

outcome simulate(const plan& p) {
  party all(p);
  plant(all, p.bug);
  fault_maker faults(p, all);
  faults.begin();
  run_until(all, all.time.now() + p.faults_for_ns, [] { return false; });
  if (!all.judge.failed()) {
    faults.stop();
    const bool done =
        run_until(all, all.time.now() + p.settle_for_ns, [&] { return all_done(all); });
    if (done)
      check_the_end(all);
    else if (!all.judge.failed()) {
      all.judge.end(all.time.now());
      all.judge.fail(why_not_done(all), {}, all.time.now());
    }
  }
  return sum_up(all);
}

}  // namespace holdfast::sim
