#include "sim/handlers/handler_process.hpp"

#include <exception>

#include "sim/handlers/virtual_store.hpp"

namespace holdfast::sim {
namespace {

/// Leaves a handler whose process is killed inside it.
struct killed {};

}  // namespace

struct handler_process::life {
  life(simulated::contents& shared, std::function<void()> may_die)
      : disk(shared, std::move(may_die)) {}
  virtual_store disk;
  std::any memory;
  std::unique_ptr<trade> work;
  std::unique_ptr<wiring> wires;
  std::optional<job> at_hand;  // here, not in its events: those outlive everybody
};

/// What a handler sees of its process during one call.
class handler_process::inside final : public simulated::process {
 public:
  inside(handler_process& of, handler_process::life& l, const message_key& about)
      : of_(of), life_(l), about_(about) {}

  unsigned number() const noexcept override { return of_.plan_.number; }
  unsigned life() const noexcept override { return of_.lives_; }
  std::chrono::nanoseconds now() const noexcept override {
    return std::chrono::nanoseconds(life_.wires->at().now_ns);
  }
  void spend(std::chrono::nanoseconds work) override {
    if (work.count() > 0) spent_ns_ += static_cast<std::uint64_t>(work.count());
  }
  std::uint64_t draw(std::uint64_t bound) override {
    return bound == 0 ? 0 : of_.random_.below(bound);
  }
  simulated::store& disk() override { return life_.disk; }
  void may_die() override { of_.may_die(); }
  void fail(std::string what) override { of_.fail(std::move(what), about_); }
  std::uint64_t spent_ns() const noexcept { return spent_ns_; }

 private:
  std::any& remembered() override { return life_.memory; }

  handler_process& of_;
  handler_process::life& life_;
  message_key about_;
  std::uint64_t spent_ns_ = 0;
};

handler_process::handler_process(handler_plan plan, stage& of, surroundings in, std::uint64_t seed)
    : application(plan.kind + " " + std::to_string(plan.number), in, seed),
      plan_(std::move(plan)),
      stage_(of) {}

handler_process::~handler_process() = default;

// ---- lives --------------------------------------------------------------------------------------

void handler_process::start() {
  ++lives_;
  tell("starts", {}, lives_);
  now_ = std::make_shared<life>(stage_.store(), [this] { may_die(); });
  now_->wires = std::make_unique<wiring>(plan_.link, in_, random_.next());
  now_->work = plan_.make({in_, stage_, *now_->wires, name(), plan_.number, lives_});
  now_->wires->session().add(now_->work->stream());
  const auto weak = std::weak_ptr(now_);
  now_->wires->before = [weak](const multipart& frame, std::uint64_t left_ns) {
    if (const auto l = weak.lock()) l->work->arrived(frame, left_ns);
  };
  now_->wires->after = [this, weak] {
    if (const auto l = weak.lock()) look(*l);
  };
  now_->wires->start();
}

void handler_process::die() {
  if (!now_) return;
  tell("is killed");
  ++stage_.counts().deaths;
  now_->wires.reset();
  now_ = nullptr;
  come_back([this] { start(); });
}

void handler_process::pause(std::uint64_t for_ns) {
  if (!now_) return;
  tell("is stopped for a while", {}, for_ns);
  now_->wires->pause(for_ns);
}

void handler_process::may_die() {
  dying_ = dying_ || (!behaving_ && random_.chance(plan_.die_percent));
  if (dying_) throw killed();
}

void handler_process::fail(std::string what, const message_key& about) {
  if (!dying_) in_.judged.fail(handlers, std::move(what), about, now());
}

// ---- one message after another ------------------------------------------------------------------

void handler_process::later(std::uint64_t delay, step what) {
  in_.time.after(delay, [this, weak = std::weak_ptr(now_), step_now = std::move(what)] {
    const auto l = weak.lock();
    if (!l || !l->wires) return;
    if (l->wires->paused()) return later(l->wires->paused_until() - now() + 1, step_now);
    step_now(*l);
  });
}

std::uint64_t handler_process::some_time() {
  const bool hangs = !behaving_ && random_.chance(plan_.hang_percent);
  return 1 + random_.below(hangs ? plan_.hang_max_ns : plan_.work_max_ns);
}

void handler_process::look(life& l) {
  l.work->look();
  if (l.at_hand || l.wires->paused()) return;
  job next;
  if (!l.work->take(next)) return;
  l.at_hand = std::move(next);
  later(some_time(), [this](life& of) { call(of); });
}

void handler_process::call(life& l) {
  const job& what = *l.at_hand;
  ++stage_.counts().calls;
  inside self(*this, l, what.key);
  simulated::handled said;
  try {
    said = l.work->call(what, self);
  } catch (const killed&) {
  } catch (const std::exception& thrown) {
    self.fail(std::string("an exception left the handler: ") + thrown.what());
  } catch (...) {
    self.fail("something left the handler that is no std::exception");
  }
  if (std::exchange(dying_, false)) {
    tell("was in its handler, with", what.key);
    return die();
  }
  later(self.spent_ns() + some_time(), [this, said](life& of) { settle(of, said); });
}

void handler_process::settle(life& l, const simulated::handled& said) {
  const job what = *std::exchange(l.at_hand, std::nullopt);
  if (!l.work->settle(what, said)) fail("a " + plan_.kind + " cannot say that", what.key);
  l.wires->pump();
}

}  // namespace holdfast::sim
