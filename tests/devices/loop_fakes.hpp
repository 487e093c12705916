// What the engine is tested with: a log in memory whose marks the test moves, a pattern that asks
// for what the test tells it, an outlet that remembers.
#pragma once

#include <algorithm>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "devices/loop/checkpointer.hpp"
#include "devices/loop/outlet.hpp"
#include "patterns/envelope.hpp"
#include "patterns/pattern.hpp"

namespace holdfast::testing {

class memory_log final : public log {
 public:
  room left{1 << 20, 1 << 20, 1 << 20, false};
  marks now;
  bool loading = false;  ///< read() answers pending
  range hole;            ///< read() answers gap for these of stream 1
  std::vector<append_item> items;
  std::vector<std::pair<stream_id, range>> settled;
  std::vector<std::pair<stream_id, std::uint64_t>> trimmed;

  room available() const noexcept override { return left; }
  ticket append(std::span<append_item> what) noexcept override {
    for (append_item& item : what) items.push_back(std::move(item));
    return now.appended = items.size();
  }
  marks progress() noexcept override { return now; }
  fetched read(stream_id stream, std::uint64_t from, read_limits limits,
               std::vector<block>& out) override {
    if (loading) return {fetch::pending, {}};
    if (from >= hole.first && from < hole.end()) return {fetch::gap, {from, hole.end() - from}};
    std::uint64_t messages = 0, bytes = 0;
    for (const append_item& item : items) {
      const record_head& h = item.head;
      if (h.type != record_type::block || h.stream != stream) continue;
      if (h.first_sequence + h.count <= from) continue;
      if (hole.count && h.first_sequence >= hole.first) break;
      out.push_back({stream, h.first_sequence, h.count, h.props_mask, h.time_ns, h.body_sum,
                     h.producer, h.producer_number, item.body});
      messages += h.first_sequence + h.count - std::max(from, h.first_sequence);
      bytes += item.body.size();
      if (messages >= limits.messages || bytes >= limits.bytes) break;
    }
    return {out.empty() ? fetch::end : fetch::ok, {}};
  }
  void settle(stream_id stream, std::span<const range> ranges) override {
    for (const range& r : ranges) settled.emplace_back(stream, r);
  }
  void trim(stream_id stream, std::uint64_t to) override { trimmed.emplace_back(stream, to); }
  std::uint64_t next_position() const noexcept override { return items.size() * 100; }
  std::uint64_t next_deadline() const noexcept override { return never_ns; }
  int wake_fd() const noexcept override { return -1; }
};

struct scripted_pattern final : pattern {
  ready wanted;  ///< what the next take_ready gives
  std::vector<cut> cuts;
  std::uint64_t gone = never_ns;  ///< the token of a taker that left
  std::vector<ticket> tickets;
  std::vector<peer_id> lost;
  std::vector<plain_report> reports;
  std::vector<std::string> restored;
  std::uint64_t frames = 0, blocks = 0, ticks = 0, deadline = never_ns;
  std::deque<std::string> rows;  ///< snapshot writes one a call beyond the budget
  std::deque<std::string> unwritten;

  void restore(state_reader& from) override {
    while (from.next())
      if (from.kind() == row_kind::queue) restored.emplace_back(from.text());
  }
  void replay(std::span<const record_view> records) override { frames += records.size(); }
  void start(const step&) override {}
  void on_frames(std::span<const frame_in> in, const step&) override { frames += in.size(); }
  void on_plain(std::span<plain_block> in, const step&) override { blocks += in.size(); }
  void on_plain_joined(const plain_peer&, const step&) override {}
  void on_plain_report(const plain_report& r, const step&) override { reports.push_back(r); }
  void on_plain_acks(std::span<const delivery_id>, const step&) override {}
  void on_peer_lost(peer_id peer, const step&) override { lost.push_back(peer); }
  bool awaits(const run& what) override { return what.token != gone; }
  void on_cut(const cut& what, const step&) override { cuts.push_back(what); }
  void on_tick(const step&) override { ++ticks; }
  std::uint64_t next_deadline() const override { return deadline; }
  void take_ready(ready& out) override {
    out = std::move(wanted);
    wanted = {};
  }
  void on_appended(ticket last) override { tickets.push_back(last); }
  bool snapshot(state_writer& to, std::size_t budget) override {
    if (unwritten.empty()) unwritten = rows;
    const std::size_t begin = to.size();
    while (!unwritten.empty() && to.size() - begin < budget) {
      to.begin(row_kind::queue);
      to.text(unwritten.front());
      to.end();
      unwritten.pop_front();
    }
    return unwritten.empty();
  }
  void report(channel_stats&) const override {}
};

struct sent_frame {
  peer_id to = 0;
  std::vector<std::byte> head;
  buffer_ref body;
};

struct memory_outlet final : outlet {
  std::vector<sent_frame> frames;
  std::vector<std::pair<peer_id, std::vector<std::byte>>> simple;  ///< head of each
  std::vector<std::pair<peer_id, plain_delivery>> plain;
  std::vector<std::pair<peer_id, std::vector<std::string>>> raw;  ///< parts of each

  void send(peer_id to, bytes_view head, const buffer_ref*, const buffer_ref& body) override {
    frames.push_back({to, {head.begin(), head.end()}, body});
  }
  void send_simple(peer_id to, const buffer_ref& head, const entry&, const buffer_ref&) override {
    simple.push_back({to, {head.bytes().begin(), head.bytes().end()}});
  }
  void send_enveloped(peer_id to, const buffer_ref& envelope, const entry* message,
                      const buffer_ref&, std::size_t skip_parts) override {
    std::vector<std::string> parts;
    const auto add = [&](bytes_view part) {
      parts.emplace_back(reinterpret_cast<const char*>(part.data()), part.size());
    };
    for_each_envelope_part(envelope.bytes(), add);
    if (message)
      for_each_part(*message, [&](bytes_view part) {
        if (skip_parts == 0) return add(part);
        --skip_parts;
      });
    raw.emplace_back(to, std::move(parts));
  }
  void send_plain(peer_id to, const plain_delivery& what) override { plain.emplace_back(to, what); }
};

struct memory_checkpoints final : checkpoint_target {
  bool wanted = false, begun = false, finished = false;
  std::vector<std::byte> rows;
  std::size_t slices = 0;
  bool due() const override { return wanted; }
  bool begin() override {
    wanted = false;
    rows.clear();
    return begun = true;
  }
  void add(bytes_view more) override {
    rows.insert(rows.end(), more.begin(), more.end());
    ++slices;
  }
  void finish() override { finished = true; }
  bool running() const override { return false; }
  std::uint64_t next_position() const override { return 7; }
};

}  // namespace holdfast::testing
