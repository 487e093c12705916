// router_port: an endpoint with peers that each speak and are answered, all in one protocol
// (frame_in::door): receives a bounded batch of frames a turn, sends the engine's frames, drops a
// peer that reads nothing. A bound one for reliable peers reads and writes their connections itself
// (wire_router); all others are a ROUTER of libzmq (socket_router).
//
// Contract: one thread. HFP/1 peers are never paused: acks share the connection with data, and
// credit limits producers; what one may be owed is bounded in bytes. Clients of other protocols are
// paused by not being asked; workers never, since what they say frees room. What a foreign peer may
// be owed is bounded in messages by libzmq. Beyond it, or when a peer is found gone, it is
// forgotten and reported lost. A frame beyond the size limit is read, thrown away and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "devices/loop/engine.hpp"
#include "devices/transport/endpoint.hpp"
#include "devices/transport/poller.hpp"
#include "devices/transport/socket.hpp"

namespace holdfast {

class router_port {
 public:
  static constexpr std::size_t batch_frames = 64;
  static constexpr std::uint64_t batch_bytes = 8ull << 20;

  struct terms {
    door speaks = door::hfp;
    std::uint64_t max_message = 0;    ///< bytes
    std::uint64_t session_bytes = 0;  ///< hfp: owed to one peer
    int heartbeat_ms = 0;             ///< ZMTP's own, to notice dead connections; 0 = off
    int receive_hwm_messages = 8;     ///< not hfp: unread here, per peer

    /// The most bytes of a frame: a block of one message has its entry's head, part lengths and
    /// properties beside its bytes.
    std::uint64_t frame_bytes_max() const noexcept { return max_message + (1 << 20); }
  };

  static result<std::unique_ptr<router_port>> open(const context& in, const std::string& where,
                                                   std::uint32_t channel, const terms& bounds,
                                                   peer_id& next_peer);
  virtual ~router_port() = default;
  router_port(const router_port&) = delete;
  router_port& operator=(const router_port&) = delete;

  /// The endpoint's address: goes into every frame.
  void set_stream(stream_id stream) noexcept { stream_ = stream; }

  /// Before a wait: what would end it, if it `takes` anything now.
  virtual void add_to(poller& waiting, bool takes) = 0;
  /// After it.
  virtual void take_poll(const poller&) {}
  /// Receives and gives to the engine at most a batch. False when the socket failed. `room`: bytes
  /// that the journal takes of what clients send; what does not fit waits here.
  virtual bool receive(engine& to, std::uint64_t room, instant at) = 0;
  /// Instead of receive(), while nothing is taken: peers are kept, and sent what waits for them.
  virtual void keep_up(instant) {}
  virtual bool knows(peer_id peer) const noexcept = 0;
  /// The parts leave with flush() at the latest, in order.
  virtual void send(peer_id to, std::span<const part_out> parts) = 0;
  virtual void flush() {}
  /// Monotonic: when receive() should be called even if nothing comes.
  virtual std::uint64_t next_deadline() const noexcept { return never_ns; }
  virtual void stop_accepting() = 0;
  virtual void close(int linger_ms) noexcept = 0;
  /// Where it stands, with the port the system chose.
  virtual std::string actual() const = 0;
  virtual std::size_t peers() const noexcept = 0;

  /// hfp: peers that sent DESCRIBE since it was cleared, 16 at most.
  std::vector<peer_id>& asking() noexcept { return asking_; }
  /// Peers lost since it was cleared.
  std::vector<peer_id>& lost() noexcept { return lost_; }
  bool waiting() const noexcept { return waiting_; }
  bool drained() const noexcept { return drained_; }

  std::uint32_t channel() const noexcept { return channel_; }
  bool foreign() const noexcept { return terms_.speaks != door::hfp; }
  /// All that its peers send may wait in their pipes: clients. What workers say frees room.
  bool pausable() const noexcept { return terms_.speaks == door::plain; }
  /// "reliable", "in", "workers" or "mdp".
  const char* role() const noexcept;
  std::uint64_t frames() const noexcept { return frames_; }
  std::uint64_t too_large() const noexcept { return too_large_; }
  /// Peers dropped because they read nothing.
  std::uint64_t evicted() const noexcept { return evicted_; }
  /// Frames for peers that were gone.
  std::uint64_t unreachable() const noexcept { return unreachable_; }

 protected:
  /// A frame, while the engine looks at it.
  struct arrival {
    peer_id from = 0;
    std::vector<buffer_ref> parts;

    std::uint64_t bytes() const noexcept {
      std::uint64_t sum = 0;
      for (const buffer_ref& part : parts) sum += part.size();
      return sum;
    }
  };

  router_port(std::uint32_t channel, const terms& bounds)
      : terms_(bounds), arrived_(batch_frames), channel_(channel) {}
  /// Room for the next frame of this turn; take() makes it one. Its parts are reused.
  arrival& coming() noexcept { return arrived_[frames_in_.size()]; }
  bool full() const noexcept { return frames_in_.size() == batch_frames; }
  void take();
  /// Gives to the engine what was taken.
  void give(engine& to);

  terms terms_;
  std::vector<peer_id> lost_;
  bool drained_ = true, waiting_ = false;
  std::uint64_t too_large_ = 0, evicted_ = 0, unreachable_ = 0;

 private:
  std::vector<arrival> arrived_;
  std::vector<frame_in> frames_in_;
  std::vector<peer_id> asking_;
  std::uint32_t channel_;
  stream_id stream_ = no_stream;
  std::uint64_t frames_ = 0;
};

}  // namespace holdfast
