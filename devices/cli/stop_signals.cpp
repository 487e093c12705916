#include "devices/cli/stop_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <csignal>

namespace holdfast::cli {

stop_signals::stop_signals() : fd_(-1) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

stop_signals::~stop_signals() {
  ::close(fd_);
}

bool stop_signals::take() noexcept {
  signalfd_siginfo taken{};
  return ::read(fd_, &taken, sizeof taken) == sizeof taken;
}

}  // namespace holdfast::cli
