#include "tests/sim/planted_run.hpp"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "sim/plan.hpp"
#include "sim/world.hpp"

namespace holdfast {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr unsigned patience_seconds = 600;
#else
constexpr unsigned patience_seconds = 60;
#endif

[[noreturn]] void play(bug planted_one, std::uint64_t seed, int into) {
  const int nowhere = open("/dev/null", O_WRONLY);
  dup2(nowhere, STDERR_FILENO);  // of invariants that break
  alarm(patience_seconds);
  plant(planted_one);
  const sim::outcome o = sim::simulate(sim::draw_plan(seed));
  const std::string said = o.ok ? "" : o.by;
  const bool told = write(into, said.data(), said.size()) == static_cast<ssize_t>(said.size());
  _exit(told ? 0 : 1);
}

}  // namespace

std::string caught_by(bug planted_one, std::uint64_t seed) {
  std::array<int, 2> ends{};
  if (pipe(ends.data()) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) play(planted_one, seed, ends[1]);
  close(ends[1]);
  std::string said;
  std::array<char, 64> part{};
  for (ssize_t n = 0; (n = read(ends[0], part.data(), part.size())) > 0;)
    said.append(part.data(), static_cast<std::size_t>(n));
  close(ends[0]);
  int how = 0;
  waitpid(child, &how, 0);
  if (WIFSIGNALED(how)) return WTERMSIG(how) == SIGALRM ? "hang" : "check";
  return said;
}

}  // namespace holdfast
