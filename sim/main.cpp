// holdfast_sim [SEED] [--minutes N] [--commit ID]: simulates seeds. The first failure is made
// smaller and told as a story. With a seed: that one, twice, compared step by step. Without: fresh
// seeds from the system's randomness for N minutes (default 1).
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

#include "sim/shrink.hpp"

namespace {

using namespace holdfast;

struct request {
  std::uint64_t seed = 0, minutes = 1;
  bool given = false;
  std::string commit = "unknown";
};

unsigned long long n(std::uint64_t v) {
  return v;
}

void tell(const request& asked, const sim::plan& p, const sim::outcome& o) {
  std::printf("seed %llu at commit %s FAILED: %s: %s\n", n(p.seed), asked.commit.c_str(),
              o.by.c_str(), o.why.c_str());
  std::printf("again: ./dev sim %llu\nmaking it smaller:\n", n(p.seed));
  std::fflush(stdout);
  const sim::shrunk small = sim::shrink(p, o.by, [](const std::string& step) {
    std::printf("  %s\n", step.c_str());
    std::fflush(stdout);
  });
  std::printf("\nwhat is left of it:\n%s\n%s\n%s: %s\n", sim::describe(small.smallest).c_str(),
              small.shows.story.c_str(), small.shows.by.c_str(), small.shows.why.c_str());
}

/// The first step where two runs of one seed differ; 0 if none.
std::uint64_t first_difference(const sim::outcome& a, const sim::outcome& b) {
  const std::size_t common = std::min(a.trace.size(), b.trace.size());
  for (std::size_t i = 0; i < common; ++i)
    if (a.trace[i] != b.trace[i]) return i + 1;
  return a.trace.size() == b.trace.size() ? 0 : common + 1;
}

int one(const request& asked) {
  const sim::plan p = sim::draw_plan(asked.seed);
  const sim::outcome first = sim::simulate(p, true);
  const sim::outcome second = sim::simulate(p, true);
  std::printf(
      "seed %llu: %llu sent, %llu accepted, %llu delivered (%llu again), %llu answered; "
      "%llu faults, %llu device crashes, %llu cuts; %llu events in %.1f virtual seconds, "
      "hash %016llx\n",
      n(asked.seed), n(first.counts.sent), n(first.counts.accepted), n(first.counts.delivered),
      n(first.counts.again), n(first.counts.answered), n(first.faults), n(first.crashes),
      n(first.cuts), n(first.steps), static_cast<double>(first.virtual_ns) / 1e9, n(first.hash));
  if (const std::uint64_t step = first_difference(first, second)) {
    std::printf("the replay differs from step %llu on\n", n(step));
    return 1;
  }
  if (first.ok) return 0;
  tell(asked, p, first);
  return 1;
}

/// What many runs came to.
struct tally {
  std::uint64_t seeds = 0, virtual_ns = 0, events = 0, faults = 0, crashes = 0;
  sim::judge::totals messages;
  sim::fault_counts faults_of{};

  void add(const sim::outcome& o) {
    ++seeds;
    virtual_ns += o.virtual_ns;
    events += o.steps;
    faults += o.faults;
    crashes += o.crashes;
    messages += o.counts;
    for (std::size_t i = 0; i < faults_of.size(); ++i) faults_of[i] += o.faults_of[i];
  }
  void print(double seconds) const {
    std::printf("messages: %llu sent, %llu accepted, %llu delivered (%llu again), %llu answered\n",
                n(messages.sent), n(messages.accepted), n(messages.delivered), n(messages.again),
                n(messages.answered));
    std::printf("faults:");
    for (std::size_t i = 0; i < faults_of.size(); ++i)
      std::printf("%s %s %llu", i == 0 ? "" : ",", sim::name(static_cast<sim::fault>(i)),
                  n(faults_of[i]));
    std::printf("\n%llu device crashes, those in a recovery included\n", n(crashes));
    std::printf(
        "%llu seeds, %llu faults, %.0f virtual minutes, %.0f events a second: no violation\n",
        n(seeds), n(faults), static_cast<double>(virtual_ns) / 60e9,
        static_cast<double>(events) / seconds);
  }
};

int many(const request& asked) {
  const std::uint64_t begin = monotonic_now();
  const std::uint64_t end = begin + asked.minutes * 60 * second_ns;
  random_source seeds(system_seed());
  tally all;
  while (monotonic_now() < end) {
    const sim::plan p = sim::draw_plan(seeds.next() >> 23);
    const sim::outcome o = sim::simulate(p);
    all.add(o);
    if (o.ok) continue;
    tell(asked, p, o);
    return 1;
  }
  all.print(static_cast<double>(monotonic_now() - begin) / 1e9);
  return 0;
}

bool number(std::string_view text, std::uint64_t& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

bool read(int count, char** arguments, request& into) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = arguments[i];
    const bool valued = word == "--minutes" || word == "--commit";
    if (valued && ++i == count) return false;
    if (word == "--commit")
      into.commit = arguments[i];
    else if (word == "--minutes" ? !number(arguments[i], into.minutes)
                                 : !(into.given = number(word, into.seed)))
      return false;
  }
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  request asked;
  if (!read(count, arguments, asked)) {
    std::fprintf(stderr, "usage: holdfast_sim [SEED] [--minutes N] [--commit ID]\n");
    return 2;
  }
  return asked.given ? one(asked) : many(asked);
}
