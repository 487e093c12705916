#include "sim/world.hpp"

#include "sim/faults.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t look_every_ns = 50 * ms_ns;
constexpr std::uint64_t steps_max = 4'000'000;
constexpr std::uint64_t linger_ns = 3 * second_ns;  // after the end: nothing more may come
constexpr std::uint64_t whole_state_every = 1000;   // steps
constexpr std::size_t story_tail = 200;

class course {
 public:
  course(const plan& p, bool trace) : plan_(p), all_(p), faults_(p, all_), trace_(trace) {}

  outcome run() {
    faults_.begin();
    run_until(all_.time.now() + plan_.faults_for_ns, [] { return false; });
    if (!all_.judged.failed()) {
      faults_.stop();
      const bool done =
          run_until(all_.time.now() + plan_.settle_for_ns, [this] { return all_done(); });
      if (done)
        check_the_end();
      else if (!all_.judged.failed())
        say_who_is_stuck();
    }
    return sum_up();
  }

 private:
  /// Runs until `until` or a violation; looks now and then whether `enough` is reached.
  template <class F>
  bool run_until(std::uint64_t until, F enough) {
    std::uint64_t look_at = all_.time.now();
    while (all_.time.now() < until && !all_.judged.failed() && all_.time.steps() < steps_max) {
      if (all_.time.now() >= look_at) {
        if (enough()) return true;
        look_at = all_.time.now() + look_every_ns;
      }
      if (!all_.time.step()) break;
      if (trace_) note();
    }
    if (all_.time.steps() >= steps_max) fail("does not come to rest: too many events");
    return false;
  }
  void note() {
    if (all_.time.steps() % whole_state_every == 0) all_.told.fold(all_.dev.fingerprint());
    made_.trace.push_back(all_.told.hash());
  }
  void fail(std::string why) { all_.judged.fail(liveness, std::move(why), {}, all_.time.now()); }

  bool all_done() {
    if (!all_.dev.running() || all_.judged.open() != 0 || all_.dev.unfinished() != 0) return false;
    bool done = true;
    all_.each([&](const application& one) { done = done && one.done(); });
    return done;
  }
  void say_who_is_stuck() {
    std::string text = "faults stopped long ago, and it has not come to an end:";
    if (!all_.dev.running()) text += " the device is down;";
    all_.each([&](const application& one) {
      if (!one.done()) text += " " + one.name() + " waits;";
    });
    if (const std::uint64_t left = all_.dev.unfinished(); left != 0)
      text += " the device holds " + std::to_string(left) + " messages;";
    all_.told.tell(all_.time.now(), "at the end", text + " log: " + all_.dev.log_state());
    all_.judged.end(all_.time.now());
    fail(text);
  }

  /// Nothing may come any more, and a device that starts again finds the same state.
  void check_the_end() {
    run_until(all_.time.now() + linger_ns, [] { return false; });
    if (all_.judged.failed()) return;
    all_.dev.crash(crash_mode::process);
    if (!all_.dev.start()) return fail("does not start at the end");
    run_until(all_.time.now() + second_ns, [] { return false; });
    if (all_.dev.unfinished() != 0)
      fail("after a restart at the end the device has messages again");
    all_.judged.end(all_.time.now());
    if (all_.visitors && !all_.judged.failed()) all_.visitors->at_end(all_.judged, all_.time.now());
  }

  outcome sum_up() {
    outcome& o = made_;
    o.ok = !all_.judged.failed();
    o.by = all_.judged.by();
    o.why = all_.judged.why();
    if (!o.ok)
      o.story = all_.judged.about().producer != 0 ? all_.told.about(all_.judged.about())
                                                  : all_.told.tail(story_tail);
    o.hash = all_.told.hash();
    o.steps = all_.time.steps();
    o.virtual_ns = all_.time.now();
    o.counts = all_.judged.counts();
    o.crashes = all_.dev.crashes();
    o.cuts = all_.net.cuts();
    o.faults = faults_.count();
    o.faults_of = faults_.counts();
    return std::move(o);
  }

  const plan& plan_;
  party all_;
  fault_maker faults_;
  bool trace_;
  outcome made_;
};

}  // namespace

outcome simulate(const plan& p, bool trace) {
  return course(p, trace).run();
}

}  // namespace holdfast::sim
