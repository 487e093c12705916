// gate_thread: the gate's own thread: listeners, relays, one epoll. Inside devices/gate only.
//
// Contract: post() and take_events() are called by the device's thread and never wait for the
// network; everything else happens on the thread. Relays are named by number in epoll, so that an
// event for one that just ended finds nothing.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/random.hpp"
#include "devices/gate/gate.hpp"
#include "devices/gate/listener.hpp"
#include "devices/gate/relay.hpp"

namespace holdfast {

class gate_thread {
 public:
  /// An event, and with peer_up what the device's thread may look at.
  struct report {
    gate_event event;
    std::shared_ptr<gate_link> link;
  };
  struct command {
    enum class kind : std::uint8_t { listen, unlisten, ready, close, stop };
    kind what{};
    std::uint64_t number = 0;  ///< a cookie or a peer
    listener door;
  };

  static result<std::unique_ptr<gate_thread>> start(const gate_options& options);
  ~gate_thread();

  void post(command what);
  void take_events(std::vector<report>& out);
  int event_fd() const noexcept { return event_fd_.get(); }
  gate_counts counts() const noexcept;
  const gate_options& options() const noexcept { return options_; }

 private:
  struct door {
    listener socket;
    std::uint64_t cookie = 0;
    std::uint32_t peers = 0;            ///< connected now
    std::uint64_t paused_until_ns = 0;  ///< 0 = accepting
  };
  enum class side : std::uint8_t { peer, inner, door, wake };

  explicit gate_thread(const gate_options& options);
  status open_descriptors();
  void run();
  std::uint64_t next_deadline(std::uint64_t now_ns) const;
  void on_time(std::uint64_t now_ns);
  void on_epoll(std::uint64_t key, std::uint32_t events, std::uint64_t now_ns);
  void do_commands(std::uint64_t now_ns);
  void do_listen(command& what);
  void do_ready(gate_peer peer, std::uint64_t now_ns);
  void do_close(gate_peer peer, std::uint64_t now_ns);
  void accept_from(door& at, std::uint64_t now_ns);
  void pause(door& at, int error, std::uint64_t now_ns);
  void resume_paused(std::uint64_t now_ns, bool all);
  void admit(door& at, fd connection);
  void set_peer_options(int connection, bool tcp) const;
  void step(relay& which, std::uint64_t now_ns);
  void forget(gate_peer peer, std::uint64_t now_ns);
  void say(gate_event event, std::shared_ptr<gate_link> link = nullptr);
  bool watch(int what, side as, std::uint64_t number, std::uint32_t events);
  std::string private_name(gate_peer peer) const;

  gate_options options_;
  fd epoll_, wake_fd_, event_fd_;
  conduit_pool pool_;
  std::string prefix_;
  bool stopping_ = false;
  gate_peer next_peer_ = 1;
  std::uint64_t next_check_ns_ = 0;
  std::unordered_map<std::uint64_t, door> doors_;  // by cookie
  std::unordered_map<gate_peer, std::unique_ptr<relay>> relays_;
  std::vector<gate_peer> busy_, busy_now_, ending_;

  std::mutex exchange_;  // guards the two that follow
  std::vector<command> commands_;
  std::vector<report> reports_;
  struct counters {
    std::atomic<std::uint64_t> accepted{0}, refused{0}, accept_pauses{0}, copied_lanes{0},
        bytes_in{0}, bytes_out{0}, wakeups{0};
  } counters_;
  std::thread thread_;
};

}  // namespace holdfast
