// network: virtual connections between endpoints and one device. Each keeps its order; each takes
// its time; a cut loses what was in the pipe as ZeroMQ does: toward the device a prefix still
// arrives, perhaps late, perhaps after the next connection has begun to speak (the device sees two
// peers interleaved); toward the endpoint a prefix arrives; the rest is gone and nobody is told.
//
// A line is one socket of an endpoint. It reconnects by itself under a new peer id until it is
// closed; what was given to it while it had no connection waits in it. Closing drops everything it
// had not put on the wire (LINGER 0). With duplicates, what a cut left in the line of a reliable
// endpoint may have arrived before as well.
//
// Contract: one thread; all randomness from the seed. Frames are never reordered within a
// connection, nor repeated by it. A device that is down loses every connection; peer ids begin
// again at 1 with it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "patterns/ready.hpp"
#include "sim/scheduler.hpp"
#include "sim/story.hpp"

namespace holdfast::sim {

using multipart = std::vector<buffer_ref>;
using line_id = std::uint32_t;

/// What socket of the device a line leads to.
enum class line_kind : std::uint8_t { reliable, plain_in, plain_out };
struct socket_id {
  std::uint8_t channel = 0;
  line_kind kind = line_kind::reliable;
};
enum class direction : std::uint8_t { to_device, from_device, both };

struct network_options {
  std::uint64_t delay_min_ns = 20'000, delay_max_ns = 400'000;
  std::uint32_t slow_percent = 1;  ///< frames that take up to slow_max_ns
  std::uint64_t slow_max_ns = 20 * ms_ns;
  std::uint64_t late_max_ns = 300 * ms_ns;  ///< after a cut, what still arrives
  std::uint64_t reconnect_ns = 10 * ms_ns;
  std::uint32_t keep_percent = 50;      ///< cuts after which what had not left stays in the line
  std::uint32_t duplicate_percent = 0;  ///< of those, with some that had arrived
  /// Endpoints hear that their connection ended, or could not be made, and open another, as over
  /// TCP and ipc; else the line connects again without a word, as a socket of libzmq does.
  bool tells = false;
};

/// What the device's end of the network tells the device.
class device_port {
 public:
  virtual ~device_port() = default;
  virtual void connected(peer_id peer, socket_id at) = 0;
  virtual void received(peer_id peer, socket_id at, multipart frame) = 0;
  virtual void disconnected(peer_id peer, socket_id at) = 0;
};

class network {
 public:
  /// A frame for the endpoint of a line; `left_ns`: when the device let go of it.
  using receiver = std::function<void(multipart frame, std::uint64_t left_ns)>;
  /// The line's connection has ended, where that is told.
  using mourner = std::function<void()>;

  network(network_options options, scheduler& time, story& told, std::uint64_t seed);

  // ---- endpoints -------------------------------------------------------------------------------
  line_id open(socket_id to_socket, receiver to, mourner ended = {});
  void close(line_id line);
  void send(line_id line, multipart frame);
  /// Frames given to the line that the device has not got.
  std::size_t queued(line_id line) const;

  // ---- the device ------------------------------------------------------------------------------
  void device_up(device_port& port);
  void device_down();
  void send_to(peer_id peer, multipart frame) { send_to(peer, std::move(frame), time_.now()); }
  /// The device let go of it earlier: it waited in the queue of a plain receiver.
  void send_to(peer_id peer, multipart frame, std::uint64_t left_ns);
  bool knows(peer_id peer) const noexcept { return peers_.contains(peer); }
  /// Frames on their way to the peer.
  std::size_t unread(peer_id peer) const;

  // ---- faults ----------------------------------------------------------------------------------
  void cut(line_id line);
  /// Nothing moves on this line for a while, in one direction or both.
  void stall(line_id line, direction which, std::uint64_t for_ns);
  std::vector<line_id> lines() const;
  std::uint64_t cuts() const noexcept { return cuts_; }
  /// Stops adding delays beyond the ordinary.
  void calm() noexcept { options_.slow_percent = options_.duplicate_percent = 0; }

  // ---- a planted bug ---------------------------------------------------------------------------
  /// Frames toward endpoints for which this is true vanish.
  std::function<bool(const multipart&)> eat;

 private:
  struct flight {
    multipart frame;
    std::uint64_t left_ns = 0;
    bool dead = false;
  };
  using flight_ref = std::shared_ptr<flight>;
  struct side {
    std::deque<flight_ref> on_the_way;
    std::uint64_t last_arrival = 0, stalled_until = 0;
  };
  struct wire {
    socket_id at;
    receiver to;
    mourner ended;
    bool open = true;
    peer_id peer = 0;  // 0: no connection
    std::deque<multipart> waiting;
    side up, down;
  };

  void connect_later(line_id id);
  void go_on_later(line_id id);
  void tell_end(line_id id);
  void connect(line_id id);
  void put_up(line_id id, multipart frame);
  void arrive_up(line_id id, socket_id at, peer_id from, std::uint64_t run, const flight_ref& what);
  void arrive_down(line_id id, const flight_ref& what);
  void lose_connection(line_id id, bool device_alive);
  void straggle(line_id id, peer_id from, side& up, bool device_alive);
  std::uint64_t draw_delay();
  std::uint64_t arrival(side& s);
  void fold(const multipart& frame);

  network_options options_;
  scheduler& time_;
  story& story_;
  random_source random_;
  std::map<line_id, wire> lines_;
  std::map<peer_id, line_id> peers_;
  device_port* device_ = nullptr;
  std::uint64_t run_ = 0;  // of the device
  peer_id next_peer_ = 0;
  line_id next_line_ = 0;
  std::uint64_t cuts_ = 0;
};

}  // namespace holdfast::sim
