// The explorer: every state that two producers and a device can reach at a small scope, by running
// the real classes of both ends over every order of what can happen (explorer_world.hpp).
//
// The search goes depth first, to exhaustion. The world lives in an arena; a state on the way is a
// copy of it. Of the states that were seen their sums are kept, 64 bits each: the chance that one
// of n states was missed for another's sum is below n * n / 2^65 (one in 3 700 for a hundred
// million).
//
// The quick form goes to one cut, one crash and one repeat or loss. The long form (test cases
// "long: ...", left out unless asked for with -ns) goes to two cuts and two crashes.
// HOLDFAST_EXPLORE="same_id blocks cuts crashes repeats losses reduced planted" explores that scope
// with the test case "the scope asked for".
#include <doctest/doctest.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <new>
#include <set>

#include "tests/patterns/explorer_arena.hpp"
#include "tests/patterns/explorer_world.hpp"

using namespace holdfast;

namespace {

using action = explorer_world::action;

// Debug builds take ten times as long; sanitizers, which know no arena, repeat every path.
#ifdef NDEBUG
const bool fast = arena::available();
#else
constexpr bool fast = false;
#endif

/// States seen, by open addressing: the sum of each, and with which budgets it needs no visit any
/// more (explorer_world::budgets_covered).
class seen_states {
 public:
  /// False if the state was seen with this budget or a greater one.
  bool insert(std::uint64_t sum, unsigned budget, std::uint64_t covered) {
    if ((size_ + 1) * 3 > slots_.size() * 2) grow();
    slot& s = place(sum ? sum : 1);
    if (s.covered >> budget & 1) return false;
    s.covered |= covered;
    return true;
  }
  std::size_t size() const { return size_; }

 private:
  struct slot {
    std::uint64_t sum = 0, covered = 0;
  };
  slot& place(std::uint64_t sum) {
    std::size_t at = sum & (slots_.size() - 1);
    while (slots_[at].sum != 0 && slots_[at].sum != sum) at = (at + 1) & (slots_.size() - 1);
    if (std::exchange(slots_[at].sum, sum) == 0) ++size_;
    return slots_[at];
  }
  void grow() {
    std::vector<slot> before(slots_.size() * 2);
    std::swap(before, slots_);
    size_ = 0;
    for (const slot& s : before)
      if (s.sum != 0) place(s.sum).covered = s.covered;
  }
  std::vector<slot> slots_ = std::vector<slot>(1 << 16);
  std::size_t size_ = 0;
};

struct outcome {
  std::size_t states = 0, steps = 0, ends = 0, happy_ends = 0;
  double seconds = 0;
  std::string broken;
  std::vector<action> path, unhappy;
  std::set<std::uint64_t> observations;
};

class search {
 public:
  search(const explorer_scope& scope, bool observe) : scope_(scope), observe_(observe) {}

  outcome run(std::size_t states_max) {
    const auto begin = std::chrono::steady_clock::now();
    make();
    enter();
    while (depth_ > 0 && o_.broken.empty() && o_.states < states_max) step();
    o_.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return std::move(o_);
  }

 private:
  struct level_of_search {
    explorer_world::action_list left;
    std::vector<std::byte> copy;
  };

  void make() {
    if (!arena::available()) {
      owned_ = std::make_unique<explorer_world>(scope_);
      world_ = owned_.get();
      return;
    }
    arena::clear();
    const arena::scope inside;
    world_ = new explorer_world(scope_);
  }

  /// One action of the deepest state that has one left.
  void step() {
    level_of_search& top = stack_[depth_ - 1];
    if (top.left.size == 0) {
      --depth_;
      if (!o_.path.empty()) o_.path.pop_back();
      there_ = false;
      return;
    }
    if (!there_) go_back(top);
    const action a = top.left.at[--top.left.size];
    apply(a);
    o_.path.push_back(a);
    there_ = enter();
    if (!there_) o_.path.pop_back();
  }

  void go_back(const level_of_search& top) {
    if (arena::available()) return arena::put_back(top.copy);
    make();
    for (const action& a : o_.path) apply(a);
  }

  void apply(const action& a) {
    ++o_.steps;
    const arena::scope inside;
    world_->apply(a);
  }

  bool enter() {
    if (!seen_.insert(world_->fingerprint(), world_->budget(), world_->budgets_covered()))
      return false;
    ++o_.states;
    o_.broken = world_->broken();
    if (observe_) o_.observations.insert(world_->observation());
    if (depth_ == stack_.size()) stack_.emplace_back();
    level_of_search& top = stack_[depth_++];
    top.left = world_->actions();
    if (arena::available()) arena::snapshot(top.copy);
    if (progress_ && (o_.states % 1'000'000 == 0 || o_.states == 1000)) {
      std::printf("  %zu states, %zu steps, depth %zu, %zu bytes each\n", o_.states, o_.steps,
                  depth_, top.copy.size());
      std::fflush(stdout);
    }
    bool ended = true;
    for (std::size_t i = 0; i < top.left.size; ++i)
      ended &=
          top.left.at[i].what == action::kind::crash || top.left.at[i].what == action::kind::cut;
    if (ended) end();
    return true;
  }

  void end() {
    ++o_.ends;
    if (world_->all_accepted())
      ++o_.happy_ends;
    else if (o_.unhappy.empty())
      o_.unhappy = o_.path;
  }

  explorer_scope scope_;
  bool observe_;
  outcome o_;
  seen_states seen_;
  std::vector<level_of_search> stack_;
  std::size_t depth_ = 0;
  std::unique_ptr<explorer_world> owned_;
  explorer_world* world_ = nullptr;
  bool progress_ = std::getenv("HOLDFAST_EXPLORE") != nullptr;
  bool there_ = true;  // the world is in the deepest state
};

std::string show(const std::vector<action>& path) {
  constexpr const char* names[] = {"to_device", "durable", "cut",    "crash",
                                   "repeat",    "lose",    "silence"};
  std::string made;
  for (const action& a : path)
    made +=
        std::string(names[static_cast<std::size_t>(a.what)]) + " " + std::to_string(a.which) + "; ";
  return made;
}

outcome explore(const explorer_scope& scope, std::size_t states_max = 2'000'000'000,
                bool observe = false) {
  return search(scope, observe).run(states_max);
}

void explore_and_check(const explorer_scope& s) {
  const outcome o = explore(s);
  std::printf(
      "explored %s, each %d blocks; %d cuts, %d crashes, %d repeats, %d losses%s: %zu states, %zu "
      "steps, %zu ends, %zu with all accepted, %.1f s\n",
      s.same_id ? "two instances of one id" : "two ids", s.blocks, s.cuts, s.crashes, s.repeats,
      s.losses, s.reduced ? "" : " (unreduced)", o.states, o.steps, o.ends, o.happy_ends,
      o.seconds);
  std::fflush(stdout);
  INFO(show(o.path));
  CHECK(o.broken == "");
  CHECK(o.ends > 0);
  INFO("unhappy: ", show(o.unhappy));
  CHECK(o.happy_ends == o.ends);
}

}  // namespace

TEST_CASE("the scope asked for") {
  const char* asked = std::getenv("HOLDFAST_EXPLORE");
  if (!asked) return;
  explorer_scope s;
  int same = 1, reduced = 1, planted = 0;
  std::sscanf(asked, "%d %d %d %d %d %d %d %d", &same, &s.blocks, &s.cuts, &s.crashes, &s.repeats,
              &s.losses, &reduced, &planted);
  s.same_id = same != 0;
  s.reduced = reduced != 0;
  s.planted = {(planted & 1) != 0, (planted & 2) != 0, (planted & 4) != 0};
  explore_and_check(s);
}

TEST_CASE("two instances of one producer") {
  explore_and_check({.repeats = 1, .losses = 1});
  explore_and_check({.cuts = 1, .repeats = 1});
  if (!fast) return explore_and_check({.blocks = 2, .crashes = 1});
  explore_and_check({.cuts = 1, .crashes = 1, .losses = 1});
  explore_and_check({.cuts = 1, .crashes = 1, .repeats = 1});
}

TEST_CASE("two producers") {
  explore_and_check({.same_id = false, .repeats = 1, .losses = 1});
  explore_and_check({.same_id = false, .cuts = 1, .repeats = 1});
  if (!fast) return explore_and_check({.same_id = false, .blocks = 2, .crashes = 1});
  explore_and_check({.same_id = false, .cuts = 1, .crashes = 1, .losses = 1});
  explore_and_check({.same_id = false, .cuts = 1, .crashes = 1, .repeats = 1});
}

// The long form: patterns_explorer -ns -tc="long: *".
TEST_CASE("long: two instances of one producer" * doctest::skip()) {
  explore_and_check({.cuts = 2, .crashes = 2});
  explore_and_check({.cuts = 2, .crashes = 1, .repeats = 1});
}

TEST_CASE("long: two producers" * doctest::skip()) {
  explore_and_check({.same_id = false, .cuts = 2, .crashes = 2});
  explore_and_check({.same_id = false, .cuts = 2, .crashes = 1, .repeats = 1});
}

TEST_CASE("what the reductions leave out changes nothing that can be observed") {
  std::vector<explorer_scope> scopes = {
      {.same_id = true, .blocks = 2, .cuts = 1},    {.same_id = true, .blocks = 1, .crashes = 1},
      {.same_id = true, .blocks = 2, .repeats = 1}, {.same_id = true, .blocks = 2, .losses = 1},
      {.same_id = false, .blocks = 1, .cuts = 1},   {.same_id = false, .blocks = 1, .crashes = 1},
  };
  if (fast) scopes.push_back({.blocks = 1, .cuts = 1, .crashes = 1});
  for (explorer_scope s : scopes) {
    const outcome with = explore(s, ~std::size_t{0}, true);
    s.reduced = false;
    const outcome without = explore(s, ~std::size_t{0}, true);
    std::printf(
        "%s, %d blocks, %d cuts, %d crashes, %d repeats, %d losses: %zu states reduced, "
        "%zu not; %zu and %zu observations\n",
        s.same_id ? "one id" : "two ids", s.blocks, s.cuts, s.crashes, s.repeats, s.losses,
        with.states, without.states, with.observations.size(), without.observations.size());
    CHECK(with.observations == without.observations);
    CHECK(with.broken == "");
    CHECK(without.broken == "");
  }
}

namespace {

void miss(const char* what, explorer_scope s) {
  s.reduced = false;
  const outcome o = explore(s, 300'000);
  std::printf("without %s: \"%s\" after %zu states, %.1f s, %zu steps: %s\n", what,
              o.broken.c_str(), o.states, o.seconds, o.path.size(), show(o.path).c_str());
  std::fflush(stdout);
  CHECK(o.broken != "");
}

}  // namespace

TEST_CASE("the explorer finds what was taken out") {
  miss("the session's number and its end",
       {.blocks = 2, .cuts = 1, .planted = {.ignore_number = true, .ignore_older = true}});
  miss("the end of an id's older session",
       {.blocks = 1, .cuts = 1, .planted = {.ignore_older = true}});
  miss("fencing", {.blocks = 2, .cuts = 1, .planted = {.ignore_fencing = true}});
  miss("waiting for what is durable", {.blocks = 1, .crashes = 1, .planted_early_marks = true});
}

// A session belongs to one connection, and only the newest of an id stays open: so a frame that
// bears another number comes from a stranger already, and is RESET as such. The number is the
// second lock on that door; only without both does it open.
TEST_CASE("the session's number alone is covered by the connection it belongs to") {
  for (const explorer_scope& s :
       {explorer_scope{.blocks = fast ? 2 : 1,
       .cuts = 1,
       .repeats = 1,
       .reduced = false,
       .planted = {.ignore_number = true}},
        explorer_scope{
            .blocks = 1, .crashes = 1, .reduced = false, .planted = {.ignore_number = true}}}) {
    const outcome o = explore(s);
    std::printf("without the session's number: %zu states, \"%s\"\n", o.states, o.broken.c_str());
    CHECK(o.broken == "");
  }
}
