// device_parts: what a device consists of. For devices/loop and devices/admin alone.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "devices/admin/admin_port.hpp"
#include "devices/gate/gate.hpp"
#include "devices/loop/device_loop.hpp"
#include "devices/loop/engine.hpp"
#include "devices/loop/input_port.hpp"
#include "devices/loop/output_port.hpp"
#include "devices/loop/router_port.hpp"
#include "devices/loop/wake.hpp"
#include "devices/transport/poller.hpp"
#include "journal/journal.hpp"

namespace holdfast {

/// A PULL that takes delivery ids back.
struct ack_back_port {
  socket in;
  std::string actual;
  std::uint32_t channel = 0;
  bool drained = true;
  std::uint64_t taken = 0, garbage = 0;
};

struct device_loop::parts final : outlet {
  explicit parts(device_options o) : options(std::move(o)) {}

  // In the order of construction; destroyed the other way round.
  device_options options;
  const context* zmq = nullptr;
  wake stopper;  ///< ends a wait; stop_wanted says whether for good
  open_report opened;
  std::unique_ptr<journal> records;
  catalog names;
  std::unique_ptr<journal_checkpoints> checkpoints;
  std::unique_ptr<engine> core;
  peer_id next_peer = 1;
  std::unique_ptr<gate> doors;
  std::vector<std::unique_ptr<input_port>> inputs;
  std::vector<std::unique_ptr<output_port>> outputs;
  std::vector<std::unique_ptr<router_port>> routers;
  std::vector<ack_back_port> ack_backs;
  std::unique_ptr<admin_port> admin;
  poller waiting;
  std::vector<gate_event> gate_events;
  std::vector<buffer_ref> parts_in;
  std::vector<delivery_id> acks;
  std::vector<part_out> parts_to;

  std::atomic<bool> stop_wanted{false};
  bool again = true;   ///< the next turn must not wait
  bool taking = true;  ///< false once the orderly end began
  bool failure_told = false;
  device_note bridge_note;
  std::uint64_t asked_since_ns = 0;
  unsigned asked = 0;  ///< since then
  std::uint64_t started_ns = 0, paused_turns = 0, unrouted = 0;
  std::size_t outputs_at = 0;  ///< where the outputs begin in the poller
  std::size_t admin_at = 0;

  // Opening, in this order (open_device.cpp).
  status check_options() const;
  status open_journal_in_data();
  status add_channels();
  status restore();
  status open_ports();
  status open_channel_ports(std::uint32_t channel, const channel_options& c);
  status open_router(std::uint32_t channel, const plain_input& at, door speaks);
  status open_ack_back(std::uint32_t channel, const std::string& where);
  stream_id stream_at(std::uint32_t channel, const std::string& address);
  void start();

  // A turn (device_turn.cpp).
  void turn(std::uint64_t wait_ns);
  void fill_poller();
  std::uint64_t deadline() const;
  void take_gate();
  void receive(instant at);
  void receive_acks(ack_back_port& from);
  void report_lost();
  void flush_routers();
  void hand_over(instant at);
  bool may_take() const;
  bool one_waits() const;
  void tell_troubles();
  void tell_failure();
  void answer_admin(instant at);
  void answer_askers(instant at);
  status finish();

  // outlet
  void send(peer_id to, bytes_view head, const buffer_ref* head_owner,
            const buffer_ref& body) override;
  void send_simple(peer_id to, const buffer_ref& head, const entry& message,
                   const buffer_ref& body) override;
  void send_enveloped(peer_id to, const buffer_ref& envelope, const entry* message,
                      const buffer_ref& body, std::size_t skip_parts) override;
  void send_plain(peer_id to, const plain_delivery& what) override;
  void send_parts(peer_id to);
};

}  // namespace holdfast
