// device: one simulated device with a channel of each pattern: the real journal on a virtual disk,
// the real catalog, channels and engine, driven turn by turn. It can crash at any event, its
// opening included, and be started again on what the disk kept.
//
// Contract: one thread; everything outlives it but the run in it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <vector>

#include "devices/loop/engine.hpp"
#include "devices/loop/plain_packer.hpp"
#include "journal/journal.hpp"
#include "patterns/pipeline/pipeline_options.hpp"
#include "patterns/pubsub/pubsub_options.hpp"
#include "patterns/reqrep/reqrep_options.hpp"
#include "sim/application.hpp"
#include "sim/recovery_crash.hpp"
#include "sim/virtual_disk.hpp"

namespace holdfast::sim {

struct device_settings {
  pipeline_options pipeline;
  pubsub_options pubsub;
  reqrep_options reqrep;
  journal_options journal;
  virtual_disk_options disk;
  std::uint64_t disk_delay_ns = 200'000;  ///< an operation takes up to so long
  std::uint32_t in_doubt_messages = 512;
  std::uint64_t settle_idle_ns = second_ns;
  std::size_t plain_hwm = 20;  ///< messages on the way to one plain receiver
  std::size_t checkpoint_slice_bytes = 256;
  std::int32_t drift_ppm = 0;
};

class device final : public device_port, public outlet {
 public:
  device(device_settings settings, surroundings in, std::uint64_t seed);
  ~device() override;

  /// Opens; `crash_after` n > 0: crashes in the n-th call of recovery. False if it did not start.
  bool start(std::uint64_t crash_after = 0, crash_mode how = crash_mode::process);
  void crash(crash_mode how);
  bool running() const noexcept { return run_ != nullptr; }
  /// The journal takes no more: time for somebody to start the device again.
  bool broken() const;

  virtual_disk& disk() noexcept { return disk_; }
  /// The disk is about to return errors, or returned other bits: recovery may find damage.
  void disk_does_harm() noexcept { disk_harmed_ = true; }
  void set_disk_delay(std::uint64_t ns) noexcept { settings_.disk_delay_ns = ns; }
  /// Does nothing until then: a process that is stopped, or starved.
  void pause(std::uint64_t for_ns);
  /// Messages and requests that are neither done nor dead, over all queues and services.
  std::uint64_t unfinished() const;
  std::uint64_t crashes() const noexcept { return crashes_; }
  /// For people: how far its log is.
  std::string log_state() const;
  /// All its figures and all bytes of its disk.
  std::uint64_t fingerprint() const;

  void connected(peer_id peer, socket_id at) override;
  void received(peer_id peer, socket_id at, multipart frame) override;
  void disconnected(peer_id peer, socket_id at) override;

 private:
  struct plain_receiver {
    struct handed_off {
      multipart frame;
      std::uint64_t at_ns = 0;  // nothing that happens later calls it back
    };
    std::deque<handed_off> waiting;
    plain_report told;
    bool news = false;
  };
  struct channel_inputs {
    std::vector<std::pair<peer_id, multipart>> frames;  // received, for the next turn
    std::deque<multipart> plain;
    plain_packer packer;
  };
  struct run {
    std::unique_ptr<journal> log;
    catalog names;
    std::unique_ptr<checkpoint_target> checkpoints;
    std::unique_ptr<engine> core;
    std::array<channel_inputs, channel_kinds> inputs;
    std::vector<peer_id> joined;
    std::vector<std::pair<std::uint32_t, peer_id>> lost;
    std::map<peer_id, std::uint32_t> channel_of;
    std::map<peer_id, plain_receiver> receivers;
  };

  void send(peer_id to, bytes_view head, const buffer_ref* head_owner,
            const buffer_ref& body) override;
  void send_simple(peer_id to, const buffer_ref& head, const entry& message,
                   const buffer_ref& body) override;
  void send_plain(peer_id to, const plain_delivery& what) override;
  void send_enveloped(peer_id to, const buffer_ref& envelope, const entry* message,
                      const buffer_ref& body, std::size_t skip_parts) override;

  std::unique_ptr<run> open(std::uint64_t crash_after);
  void add_channels(run& r);
  std::unique_ptr<run> trouble(const char* what, std::string_view why);
  void lose(crash_mode how);
  void tell(const char* what, std::uint64_t a = 0);
  void deliver(peer_id to, multipart frame);
  void turn_by(std::uint64_t when);
  void turn();
  bool take_frames(std::uint32_t channel);
  void take_plain(std::uint32_t channel);
  void take_receivers();
  void pump();
  void audit();
  void show(channel_kind channel, std::string_view name, bool whole, const identity& counts);
  void watch_disk();

  device_settings settings_;
  surroundings in_;
  process_clock clock_;
  random_source random_;
  virtual_disk disk_;
  std::unique_ptr<run> run_;
  std::uint64_t generation_ = 0;  // rises with every start and crash
  std::uint64_t turn_at_ = never_ns;
  std::uint64_t paused_until_ = 0;
  bool disk_busy_ = false;
  bool disk_harmed_ = false;
  std::uint64_t boots_ = 1;
  std::uint64_t crashes_ = 0;
};

}  // namespace holdfast::sim
