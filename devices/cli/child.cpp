#include "devices/cli/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "devices/gate/fd.hpp"

extern char** environ;

namespace holdfast::cli {
namespace {

constexpr int still_every_ms = 1000;

struct pipe_ends {
  fd read, write;
};

result<pipe_ends> make_pipe() {
  int made[2];
  if (::pipe2(made, O_CLOEXEC) != 0)
    return status{errc::io, std::string("a pipe cannot be made: ") + std::strerror(errno)};
  return pipe_ends{fd(made[0]), fd(made[1])};
}

// Signals as a new program expects them: this one has some blocked.
result<pid_t> spawn(const std::string& command, int in, int out) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
  posix_spawnattr_t how;
  posix_spawnattr_init(&how);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&how, &none);
  posix_spawnattr_setflags(&how, POSIX_SPAWN_SETSIGMASK);
  std::string shell = "sh", flag = "-c", text = command;
  char* words[] = {shell.data(), flag.data(), text.data(), nullptr};
  pid_t child = 0;
  const int failed = posix_spawn(&child, "/bin/sh", &files, &how, words, environ);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  if (failed) return status{errc::io, std::string("sh cannot be run: ") + std::strerror(failed)};
  return child;
}

// Feeds and reads until the child has closed its output.
void converse(fd to, fd from, std::string_view input, std::string& output,
              const std::function<void()>& still) {
  ::fcntl(to.get(), F_SETFL, O_NONBLOCK);
  std::array<char, 65536> room;
  for (bool open = true; open;) {
    if (input.empty()) to.close();
    pollfd waited[] = {{from.get(), POLLIN, 0}, {to.get(), POLLOUT, 0}};
    if (::poll(waited, 2, still_every_ms) == 0) still();
    if (to && waited[1].revents) {
      const ssize_t wrote = ::write(to.get(), input.data(), input.size());
      if (wrote > 0) input.remove_prefix(static_cast<std::size_t>(wrote));
      if (wrote < 0 && errno != EAGAIN && errno != EINTR) input = {};  // it does not want more
    }
    if (waited[0].revents) {
      const ssize_t got = ::read(from.get(), room.data(), room.size());
      if (got > 0) output.append(room.data(), static_cast<std::size_t>(got));
      open = got > 0 || (got < 0 && errno == EINTR);
    }
  }
}

}  // namespace

result<child_outcome> run_child(const std::string& command, std::string_view input,
                                const std::function<void()>& still) {
  ::signal(SIGPIPE, SIG_IGN);
  auto in = make_pipe();
  if (!in) return in.take_status();
  auto out = make_pipe();
  if (!out) return out.take_status();
  const auto child = spawn(command, in->read.get(), out->write.get());
  if (!child) return status{child.kind(), std::string(child.text())};
  in->read.close();
  out->write.close();
  child_outcome outcome;
  converse(std::move(in->write), std::move(out->read), input, outcome.output, still);
  int ended = 0;
  while (::waitpid(*child, &ended, 0) < 0 && errno == EINTR) continue;
  outcome.exit_status = WIFEXITED(ended) ? WEXITSTATUS(ended) : 128 + WTERMSIG(ended);
  return outcome;
}

}  // namespace holdfast::cli
