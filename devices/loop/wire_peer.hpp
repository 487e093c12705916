// wire_peer: an output_peer whose messages are written to its connection as ZMTP lies on the wire,
// or, shared, to all connections of an output in turn.
//
// Contract: output_peer's. With a connection of its own a message is handed once the kernel has all
// of it; shared, once it waits for a connection, where no more wait than send_hwm_messages and
// about a batch of bytes: what waits for one that breaks is lost. A connection that takes nothing
// is passed over until its door says that it is writable.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "devices/loop/output_peer.hpp"
#include "devices/loop/wire_link.hpp"

namespace holdfast {

class wire_peer;

/// A connection of an output.
struct output_link : wire_link {
  wire_peer* of = nullptr;  ///< since its handshake is done
};

class wire_peer final : public output_peer {
 public:
  static constexpr std::uint64_t batch_bytes = 128 * 1024;

  wire_peer(const output_terms& terms, std::string name, const wire_door& door);
  void attach(output_link& link);
  void detach(output_link& link);
  std::size_t links() const noexcept { return links_.size(); }
  /// Something changed about a connection's taking.
  void look_at_links() noexcept;

 private:
  io take(std::span<const part_out> parts, std::uint64_t before) override;
  void hand_over(engine& to) override;
  void look_at_unsent() override;
  std::uint64_t handed() const noexcept override;
  bool has_room(const wire_link& link) const noexcept;

  const wire_door& door_;
  std::vector<output_link*> links_;
  std::size_t next_ = 0;  // the connection whose turn it is
};

}  // namespace holdfast
