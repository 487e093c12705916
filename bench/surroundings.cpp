#include "bench/surroundings.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <random>

namespace holdfast::bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// One call on a fresh socket, true if it went well.
bool tried(int (*call)(int, const sockaddr*, socklen_t), std::uint16_t port) {
  const sockaddr_in address = loopback(port);
  const int probe = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool well = call(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(probe);
  return well;
}

}  // namespace

scratch_directory::scratch_directory(const std::string& parent) {
  const std::filesystem::path where =
      parent.empty() ? std::filesystem::temp_directory_path() : std::filesystem::path(parent);
  path_ = (where / "holdfast-bench-XXXXXX").string();
  if (mkdtemp(path_.data()) == nullptr) give_up(path_ + " cannot be made");
}

scratch_directory::~scratch_directory() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::uint16_t free_port() {
  std::random_device source;
  for (int tries = 0; tries < 1000; ++tries) {
    const auto port = static_cast<std::uint16_t>(12000 + source() % 20000);  // below ephemeral ones
    if (tried(bind, port)) return port;
  }
  give_up("no free port");
}

std::string free_endpoint() {
  return "tcp://127.0.0.1:" + std::to_string(free_port());
}

void wait_listening(std::uint16_t port, child& server) {
  const double give_up_at = now_seconds() + 60;
  while (!tried(connect, port)) {
    if (!server.alive()) give_up("a server ended before it listened");
    if (now_seconds() > give_up_at) give_up("a server did not listen within a minute");
    sleep_until(now_seconds() + 0.01);
  }
}

std::string device_program(const char* argv0) {
  if (const char* named = std::getenv("HOLDFAST_BIN")) return named;
  const auto beside = std::filesystem::absolute(argv0).parent_path().parent_path() / "holdfast";
  if (!std::filesystem::exists(beside))
    give_up("no " + beside.string() + "; name the device's program in HOLDFAST_BIN");
  return beside;
}

}  // namespace holdfast::bench
