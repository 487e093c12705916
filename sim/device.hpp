// device: one simulated device: the real journal on a virtual disk, the real catalog, pipeline and
// engine, driven turn by turn. It can crash at any event, its opening included, and be started
// again on what the disk kept.
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
#include "patterns/pipeline/pipeline_channel.hpp"
#include "sim/checker.hpp"
#include "sim/network.hpp"
#include "sim/recovery_crash.hpp"
#include "sim/virtual_disk.hpp"

namespace holdfast::sim {

struct device_settings {
  pipeline_options pipeline;
  journal_options journal;
  virtual_disk_options disk;
  std::uint64_t disk_delay_ns = 200'000;  ///< an operation takes up to so long
  std::uint32_t in_doubt_messages = 512;
  std::uint64_t settle_idle_ns = second_ns;
  std::size_t plain_hwm = 20;  ///< messages on the way to one plain receiver
  std::size_t checkpoint_slice_bytes = 256;
  bool planted_early_marks = false;  ///< a bug to be caught: durable is said of what is appended
};

class device final : public device_port, public outlet {
 public:
  device(device_settings settings, scheduler& time, network& net, checker& judge, story& told,
         std::uint64_t seed);
  ~device() override;

  /// Opens; `crash_after` n > 0: crashes in the n-th call of recovery. False if it did not start.
  bool start(std::uint64_t crash_after = 0, crash_mode how = crash_mode::process);
  void crash(crash_mode how);
  bool running() const noexcept { return run_ != nullptr; }
  /// The journal takes no more: time for somebody to start the device again.
  bool broken() const;

  virtual_disk& disk() noexcept { return disk_; }
  /// The disk is about to return errors: recovery may find damage.
  void disk_may_fail() noexcept { disk_failed_ = true; }
  void set_disk_delay(std::uint64_t ns) noexcept { settings_.disk_delay_ns = ns; }
  /// Does nothing until then: a process that is stopped, or starved.
  void pause(std::uint64_t for_ns);
  std::vector<channel_stats> report() const;
  /// Messages that are neither done nor dead, over all streams.
  std::uint64_t unfinished() const;
  std::uint64_t crashes() const noexcept { return crashes_; }

  void connected(peer_id peer, line_kind kind) override;
  void received(peer_id peer, line_kind kind, multipart frame) override;
  void disconnected(peer_id peer, line_kind kind) override;

 private:
  struct plain_receiver {
    std::deque<multipart> waiting;
    plain_report told;
    bool news = false;
  };
  struct run {
    std::unique_ptr<class journal> log;
    std::unique_ptr<class log> early;
    catalog names;
    std::unique_ptr<checkpoint_target> checkpoints;
    std::unique_ptr<engine> core;
    plain_packer packer;
    std::vector<std::pair<peer_id, multipart>> frames;  // received, for the next turn
    std::deque<multipart> plain;
    std::vector<peer_id> joined, lost;
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
  std::unique_ptr<run> trouble(const char* what, std::string_view why);
  void lose(crash_mode how);
  void turn_by(std::uint64_t when);
  void turn();
  void take_frames();
  void take_plain();
  void take_receivers();
  void pump();
  void audit();
  void watch_disk();

  device_settings settings_;
  scheduler& time_;
  network& net_;
  checker& checker_;
  story& story_;
  random_source random_;
  virtual_disk disk_;
  std::unique_ptr<run> run_;
  std::uint64_t generation_ = 0;  // rises with every start and crash
  std::uint64_t turn_at_ = never_ns;
  std::uint64_t paused_until_ = 0;
  bool disk_busy_ = false;
  bool disk_failed_ = false;
  std::uint64_t boots_ = 1;
  std::uint64_t crashes_ = 0;
};

}  // namespace holdfast::sim
