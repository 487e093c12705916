// router: the ROUTER that faces reliable peers. libzmq's routing ids become peer ids that are never
// reused while the process lives.
//
// Contract: one thread. A peer is known from its first frame until it is forgotten: by forget(), by
// a send that finds it gone, or as the longest silent one when more than `peers_max` are known (it
// gets a new peer id when it speaks again). Reliable peers: SNDHWM 0, and the caller bounds what
// each peer may be owed (bytes_owed()).
#pragma once

#include <cstdint>
#include <list>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "devices/transport/socket.hpp"
#include "patterns/ready.hpp"

namespace holdfast {

class router {
 public:
  /// What reliable peers need: never paused, nothing queued that the caller does not bound.
  static socket_options reliable_options() {
    socket_options o;
    o.send_hwm = 0;
    o.receive_hwm = 8;
    return o;
  }
  /// `next_peer` is the device's counter of peer ids, shared by its sockets.
  static result<router> open(const context& in, peer_id& next_peer, socket_options options,
                             std::size_t peers_max = 65'536);

  status attach(const endpoint& where) { return socket_.attach(where); }
  io receive(peer_id& from, std::vector<buffer_ref>& parts, std::uint64_t bytes_max);
  /// `unreachable`: the peer is gone and has been forgotten.
  io send(peer_id to, std::span<const part_out> parts);
  /// Bytes sent to the peer since it was heard last: what may sit unread in memory. 0 if unknown.
  std::uint64_t bytes_owed(peer_id peer) const noexcept;
  bool knows(peer_id peer) const noexcept { return peers_.contains(peer); }
  void forget(peer_id peer) noexcept;
  /// Peers forgotten because too many were known; the caller tells its patterns and clears it.
  std::vector<peer_id>& displaced() noexcept { return displaced_; }
  std::size_t size() const noexcept { return peers_.size(); }

  socket& raw() noexcept { return socket_; }
  const socket& raw() const noexcept { return socket_; }

 private:
  struct route {
    std::string routing_id;
    std::uint64_t owed = 0;
    std::list<peer_id>::iterator age;  ///< place in by_age_: the longest silent first
  };
  struct hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };

  peer_id intern(std::string_view routing_id);

  socket socket_;
  peer_id* next_peer_ = nullptr;
  std::size_t peers_max_ = 0;
  std::unordered_map<std::string, peer_id, hash, std::equal_to<>> by_routing_id_;
  std::unordered_map<peer_id, route> peers_;
  std::list<peer_id> by_age_;
  std::vector<peer_id> displaced_;
  std::vector<part_out> sending_;
};

}  // namespace holdfast
