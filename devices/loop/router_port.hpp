// router_port: a ROUTER and the peers behind it, which all speak one protocol (frame_in::door):
// receives a bounded batch of frames a turn, sends the engine's frames, drops a peer that reads
// nothing.
//
// Contract: one thread. HFP/1 peers are never paused: acks share the socket with data, and credit
// limits producers; what one may be owed since it was heard last is bounded in bytes. Clients
// of other protocols are paused by not being asked; workers never, since what they say frees room.
// What a foreign peer may be owed is bounded in messages by libzmq. Beyond it, or when libzmq finds
// it gone, a peer is forgotten and reported lost. A frame beyond the size limit is read, thrown
// away and counted.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/loop/engine.hpp"
#include "devices/transport/router.hpp"

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
  };

  static result<std::unique_ptr<router_port>> open(const context& in, const std::string& where,
                                                   std::uint32_t channel, const terms& bounds,
                                                   peer_id& next_peer);
  /// The endpoint's address: goes into every frame.
  void set_stream(stream_id stream) noexcept { stream_ = stream; }

  /// False when the socket failed. `room`: bytes that the journal takes of what clients send; what
  /// does not fit waits here.
  bool receive(engine& to, std::uint64_t room);
  bool waiting() const noexcept { return waiting_; }
  bool knows(peer_id peer) const noexcept { return router_.knows(peer); }
  void send(peer_id to, std::span<const part_out> parts);
  /// hfp: peers that sent DESCRIBE since it was cleared, 16 at most.
  std::vector<peer_id>& asking() noexcept { return asking_; }
  /// Peers lost since the last call.
  std::vector<peer_id>& lost() noexcept;
  void stop_accepting();
  void close(int linger_ms) noexcept;

  std::uint32_t channel() const noexcept { return channel_; }
  door speaks() const noexcept { return terms_.speaks; }
  bool foreign() const noexcept { return terms_.speaks != door::hfp; }
  /// All that its peers send may wait in their pipes: clients. What workers say frees room.
  bool pausable() const noexcept { return terms_.speaks == door::plain; }
  /// "reliable", "in", "workers" or "mdp".
  const char* role() const noexcept;
  const socket& raw() const noexcept { return router_.raw(); }
  std::string actual() const;
  bool drained() const noexcept { return drained_; }
  std::size_t peers() const noexcept { return router_.size(); }
  std::uint64_t frames() const noexcept { return frames_; }
  std::uint64_t too_large() const noexcept { return too_large_; }
  /// Peers dropped because they read nothing.
  std::uint64_t evicted() const noexcept { return evicted_; }
  /// Frames for peers that were gone.
  std::uint64_t unreachable() const noexcept { return unreachable_; }

  router_port(router opened, endpoint where, std::uint32_t channel, const terms& bounds);

 private:
  struct arrival {
    peer_id from = 0;
    std::vector<buffer_ref> parts;

    std::uint64_t bytes() const noexcept {
      std::uint64_t sum = 0;
      for (const buffer_ref& part : parts) sum += part.size();
      return sum;
    }
  };

  router router_;
  endpoint where_;
  std::uint32_t channel_;
  terms terms_;
  stream_id stream_ = no_stream;
  std::vector<arrival> arrived_;  // reused
  arrival held_;                  // while waiting_
  std::vector<frame_in> frames_in_;
  std::vector<peer_id> asking_;
  bool drained_ = true, waiting_ = false;
  std::uint64_t frames_ = 0, too_large_ = 0, evicted_ = 0, unreachable_ = 0;
};

}  // namespace holdfast
