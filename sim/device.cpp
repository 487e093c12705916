#include "sim/device.hpp"

#include <algorithm>

#include "base/check.hpp"

namespace holdfast::sim {
namespace {

constexpr std::uint64_t receiver_room = 16;  // messages beyond what was handed over

bytes16_id boot_number(std::uint64_t n) {
  bytes16_id made{};
  store(made.data(), n);
  return made;
}

/// The planted bug: a log that calls durable whatever was appended.
class early_marks final : public log {
 public:
  explicit early_marks(log& under) : under_(under) {}
  room available() const noexcept override { return under_.available(); }
  ticket append(std::span<append_item> items) noexcept override { return under_.append(items); }
  marks progress() noexcept override {
    marks m = under_.progress();
    m.written = m.synced = m.appended;
    return m;
  }
  fetched read(stream_id stream, std::uint64_t from, read_limits limits,
               std::vector<block>& out) override {
    return under_.read(stream, from, limits, out);
  }
  void settle(stream_id stream, std::span<const range> ranges) override {
    under_.settle(stream, ranges);
  }
  void trim(stream_id stream, std::uint64_t to) override { under_.trim(stream, to); }
  std::uint64_t next_position() const noexcept override { return under_.next_position(); }
  std::uint64_t next_deadline() const noexcept override { return under_.next_deadline(); }
  int wake_fd() const noexcept override { return under_.wake_fd(); }

 private:
  log& under_;
};

}  // namespace

device::device(device_settings settings, scheduler& time, network& net, checker& judge, story& told,
               std::uint64_t seed)
    : settings_(std::move(settings)),
      time_(time),
      net_(net),
      checker_(judge),
      story_(told),
      random_(seed),
      disk_(settings_.disk) {
  disk_.set_auto_complete(false);
  settings_.journal.clock = [&t = time_] { return t.at(); };
  settings_.journal.boot_id = boot_number(boots_);
  settings_.journal.seed = random_.next();
}

device::~device() {
  run_.reset();
}

// ---- life ---------------------------------------------------------------------------------------

bool device::start(std::uint64_t crash_after, crash_mode how) {
  ++generation_;
  disk_busy_ = false;
  turn_at_ = never_ns;
  try {
    run_ = open(crash_after);
  } catch (const crashed_in_recovery&) {
    run_ = nullptr;
    story_.tell(time_.now(), "crashes while it recovers", "device");
    lose(how);
    return false;
  }
  if (!run_) {
    disk_.crash(crash_mode::process);
    return false;
  }
  net_.device_up(*this);
  story_.tell(time_.now(), "is up", "device", {}, run_->log->stats().epoch);
  turn_by(time_.now());
  return true;
}

std::unique_ptr<device::run> device::open(std::uint64_t crash_after) {
  auto made = std::make_unique<run>();
  const auto fuse = std::make_shared<std::uint64_t>(crash_after);
  open_report found;
  auto opened =
      open_journal(std::make_unique<recovery_crash>(disk_.mount(), fuse), settings_.journal, found);
  if (!opened) return trouble("cannot open its journal: ", opened.text());
  made->log = std::move(opened).value();
  if (!found.damaged.empty() && !disk_failed_)
    checker_.fail("recovery reports damage on a disk that did none", {}, time_.now());
  made->checkpoints = std::make_unique<journal_checkpoints>(*made->log);
  class log* seen = made->log.get();
  if (settings_.planted_early_marks) {
    made->early = std::make_unique<early_marks>(*made->log);
    seen = made->early.get();
  }
  made->core = std::make_unique<engine>(*seen, made->names, static_cast<outlet&>(*this),
                                        made->checkpoints.get(), settings_.checkpoint_slice_bytes);
  made->core->add_channel(settings_.pipeline.name,
                          make_pipeline(settings_.pipeline, made->names, random_.next()));
  made->core->restore(made->log->checkpoint_rows());
  const status replayed =
      made->log->replay([&](std::span<const record_view> records) { made->core->replay(records); });
  if (!replayed) return trouble("cannot replay its journal: ", replayed.text());
  *fuse = 0;
  run_ = std::move(made);  // start() may already send
  run_->core->start(time_.at(), found.other_boot ? static_cast<std::uint32_t>(found.epoch) : 0);
  run_->packer.set_stream(run_->core->stream_of(0, settings_.pipeline.default_queue));
  return std::move(run_);
}

std::unique_ptr<device::run> device::trouble(const char* what, std::string_view why) {
  story_.tell(time_.now(), what, "device: " + std::string(why));
  return nullptr;
}

void device::crash(crash_mode how) {
  if (!run_) return;
  story_.tell(time_.now(), how == crash_mode::power ? "loses power" : "is killed", "device");
  net_.device_down();
  lose(how);
}

void device::lose(crash_mode how) {
  ++generation_;
  ++crashes_;
  disk_.crash(how);
  run_.reset();
  if (how != crash_mode::power) return;
  settings_.journal.boot_id = boot_number(++boots_);
  checker_.power_lost(time_.now());
}

bool device::broken() const {
  return run_ && run_->core->reached().failure != nullptr;
}

void device::pause(std::uint64_t for_ns) {
  story_.tell(time_.now(), "is stopped for a while", "device", {}, for_ns);
  paused_until_ = time_.now() + for_ns;
}

std::vector<channel_stats> device::report() const {
  return run_ ? run_->core->report() : std::vector<channel_stats>{};
}

std::uint64_t device::unfinished() const {
  std::uint64_t count = 0;
  for (const channel_stats& c : report())
    for (const stream_stats& s : c.streams)
      count += s.counts.ready + s.counts.in_flight + s.counts.delayed + s.counts.in_doubt;
  return count;
}

// ---- what arrives -------------------------------------------------------------------------------

void device::connected(peer_id peer, line_kind kind) {
  if (kind != line_kind::plain_out) return;
  run_->joined.push_back(peer);
  turn_by(time_.now() + random_.below(50'000));
}

void device::received(peer_id peer, line_kind kind, multipart frame) {
  if (kind == line_kind::reliable) run_->frames.emplace_back(peer, std::move(frame));
  if (kind == line_kind::plain_in) run_->plain.push_back(std::move(frame));
  turn_by(time_.now() + random_.below(100'000));
}

void device::disconnected(peer_id peer, line_kind kind) {
  if (kind != line_kind::plain_out) return;  // a ROUTER is not told
  run_->lost.push_back(peer);
  turn_by(time_.now());
}

// ---- a turn -------------------------------------------------------------------------------------

void device::turn_by(std::uint64_t when) {
  when = std::max({when, time_.now(), paused_until_});
  if (when >= turn_at_) return;
  turn_at_ = when;
  time_.at(when, [this, when, generation = generation_] {
    if (generation == generation_ && when == turn_at_) turn();
  });
}

void device::turn() {
  turn_at_ = never_ns;
  if (time_.now() < paused_until_) return turn_by(paused_until_);
  engine& core = *run_->core;
  core.begin(time_.at());
  take_frames();
  take_plain();
  take_receivers();
  core.end();
  pump();
  audit();
  watch_disk();
  const std::uint64_t next = core.next_deadline();
  turn_by(next == 0 ? time_.now() + 1000 : next);
  if (!run_->frames.empty() || !run_->lost.empty()) turn_by(time_.now() + 1000);
  if (!run_->plain.empty()) turn_by(time_.now() + ms_ns);
}

void device::take_frames() {
  const std::size_t count = std::min<std::size_t>(run_->frames.size(), 1 + random_.below(64));
  std::vector<frame_in> batch;
  for (std::size_t i = 0; i < count; ++i) {
    const auto& [from, frame] = run_->frames[i];
    batch.push_back({from, frame[0], std::span(frame).subspan(1)});
  }
  if (count > 0) run_->core->on_frames(0, batch);
  run_->frames.erase(run_->frames.begin(),
                     run_->frames.begin() + static_cast<std::ptrdiff_t>(count));
}

void device::take_plain() {
  std::uint64_t room = run_->core->available().message_bytes;
  std::vector<bytes_view> message;
  while (!run_->plain.empty()) {
    message.clear();
    std::uint64_t bytes = 0;
    for (const buffer_ref& part : run_->plain.front()) {
      message.push_back(part.bytes());
      bytes += part.size() + 64;
    }
    if (bytes > room) break;
    room -= bytes;
    run_->packer.add(message, bytes, time_.at().real_ns);
    run_->plain.pop_front();
  }
  const std::span<plain_block> blocks = run_->packer.take();
  if (!blocks.empty()) run_->core->on_plain(0, blocks);
  run_->packer.clear();
}

void device::take_receivers() {
  for (const peer_id peer : std::exchange(run_->joined, {})) {
    plain_peer joining;
    joining.peer = peer;
    joining.name = "plain " + std::to_string(peer);
    joining.stream = run_->packer.stream();
    joining.in_doubt_messages = settings_.in_doubt_messages;
    joining.settle_idle_ns = settings_.settle_idle_ns;
    run_->core->on_plain_joined(0, joining);
    run_->receivers[peer].told = {peer, 0, receiver_room, true};
    run_->core->on_plain_report(0, run_->receivers[peer].told);
  }
  for (const peer_id peer : std::exchange(run_->lost, {})) {
    run_->receivers.erase(peer);
    run_->core->on_peer_lost(0, peer);
  }
  for (auto& [peer, r] : run_->receivers)
    if (std::exchange(r.news, false)) run_->core->on_plain_report(0, r.told);
}

/// Hands over to plain receivers what their connections take; what changed is reported in the next
/// turn, as the loop with sockets does it.
void device::pump() {
  for (auto& [peer, r] : run_->receivers) {
    plain_report now = r.told;
    while (!r.waiting.empty() && net_.knows(peer) && net_.unread(peer) < settings_.plain_hwm) {
      if (!r.waiting.front().empty()) net_.send_to(peer, std::move(r.waiting.front()));
      r.waiting.pop_front();
      ++now.handed;
    }
    now.room = now.handed + receiver_room;
    now.idle = r.waiting.empty() && net_.knows(peer) && net_.unread(peer) == 0;
    r.news |= now.handed != r.told.handed || now.idle != r.told.idle;
    r.told = now;
    if (r.news || !now.idle) turn_by(time_.now() + ms_ns);
  }
}

void device::audit() {
  for (const channel_stats& c : report()) {
    story_.fold(c.bad_frames);
    story_.fold(c.stale_frames);
    for (const stream_stats& s : c.streams) {
      checker_.accounts(s.counts.in, s.counts.sum(), time_.now());
      story_.fold(s.counts.in);
      story_.fold(s.counts.acked);
      story_.fold(s.counts.ready);
    }
  }
}

void device::watch_disk() {
  if (disk_busy_ || disk_.waiting() == 0) return;
  disk_busy_ = true;
  time_.after(1 + random_.below(settings_.disk_delay_ns), [this, generation = generation_] {
    if (generation != generation_) return;
    disk_busy_ = false;
    disk_.step(1 + random_.below(3));
    watch_disk();
    turn_by(time_.now() + random_.below(20'000));
  });
}

// ---- what leaves --------------------------------------------------------------------------------

void device::send(peer_id to, bytes_view head, const buffer_ref*, const buffer_ref& body) {
  multipart frame{copy_to_buffer(head)};
  if (body) frame.push_back(copy_to_buffer(body.bytes()));
  if (!net_.knows(to)) run_->lost.push_back(to);
  net_.send_to(to, std::move(frame));
}

void device::send_simple(peer_id to, const buffer_ref& head, const entry& message,
                         const buffer_ref&) {
  multipart frame{copy_to_buffer(head.bytes())};
  for_each_part(message, [&](bytes_view part) { frame.push_back(copy_to_buffer(part)); });
  if (!net_.knows(to)) run_->lost.push_back(to);
  net_.send_to(to, std::move(frame));
}

// Pipelines send no envelopes, and no other pattern is simulated.
void device::send_enveloped(peer_id, const buffer_ref&, const entry*, const buffer_ref&,
                            std::size_t) {
  check(false, "only channels that are simulated send");
}

void device::send_plain(peer_id to, const plain_delivery& what) {
  const auto found = run_->receivers.find(to);
  if (found == run_->receivers.end()) return;
  entry_walker walker(what.body.bytes());
  entry message;
  for (std::uint32_t i = 0; i < what.count && walker.next(message); ++i) {
    multipart frame;
    if (!message.voided())
      for_each_part(message, [&](bytes_view part) { frame.push_back(copy_to_buffer(part)); });
    found->second.waiting.push_back(std::move(frame));
  }
}

}  // namespace holdfast::sim
