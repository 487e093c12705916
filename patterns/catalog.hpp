// catalog: the names of a device and their numbers: channels, streams (channel, address),
// producers. One catalog per device, shared by its channels, so that numbers are unique in the
// journal.
//
// Contract: defining a name adds its record to `out`; a frame that mentions the number must wait
// for it. Numbers are never reused. One thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.hpp"
#include "patterns/frame.hpp"
#include "patterns/state.hpp"

namespace holdfast {

struct ready;

struct stream_def {
  stream_id stream = no_stream;
  std::uint32_t epoch = 1;
  std::string channel, address;
};

struct producer_def {
  std::uint32_t number = 0;  ///< interned, from 1
  std::string id;
  bool named = false;
  std::uint32_t epoch = 0;
  bytes16 nonce{};
};

/// Numbers of messages that may have been handed out, and the log does not know of them any more:
/// they would be given again.
struct forgotten_numbers {
  std::uint32_t journal_epoch = 0;  ///< rises with every opening; 0 = none are forgotten
  bool at_disk = false;             ///< of channels at level disk as well
};

class catalog {
 public:
  /// States that a channel exists; a record if that is news.
  void define_channel(std::string_view channel, std::string_view pattern, instant at, ready& out);
  /// The stream of (channel, address); defines it if it is new.
  const stream_def& define_stream(std::string_view channel, std::string_view address, instant at,
                                  ready& out);
  const stream_def* find_stream(std::string_view channel, std::string_view address) const;
  const stream_def* find_stream(stream_id stream) const;
  std::size_t stream_count(const std::string& channel) const {
    const auto at = stream_count_.find(channel);
    return at == stream_count_.end() ? 0 : at->second;
  }

  /// The producer with this id; null if unknown. Ids are unique in a device: a channel that wants
  /// them to itself makes its name part of them (patterns/session/sessions).
  const producer_def* find_producer(std::string_view id) const;
  const producer_def* find_producer(std::uint32_t number) const;
  /// Defines a producer or gives it a new epoch and nonce; the record is in `out`.
  const producer_def& define_producer(std::string_view id, bool named, std::uint32_t epoch,
                                      const bytes16& nonce, instant at, ready& out);
  void forget_producer(std::uint32_t number, instant at, ready& out);
  std::size_t producer_count() const noexcept { return producers_.size(); }
  template <class F>
  void for_each_producer(F&& f) const {
    for (const auto& [number, def] : producers_) f(def);
  }
  std::span<const stream_def> streams() const noexcept { return streams_; }
  /// Before the channels' start().
  void set_forgotten(forgotten_numbers by_the_log) noexcept { forgotten_ = by_the_log; }
  /// Gives every stream of the channel an epoch it never had, if numbers of its level may be
  /// forgotten. In its start().
  void raise_epochs(std::string_view channel, level durability, instant at, ready& out);

  // The device drives these once, for all its channels, before the channels' own restore, replay
  // and snapshot.
  void restore(state_reader& rows);
  void replay(std::span<const record_view> records);
  bool snapshot(state_writer& rows, std::size_t budget);

 private:
  void take_in(stream_def def);
  void take_in(producer_def def);

  std::unordered_map<std::string, std::string> channels_;      // name -> pattern
  std::unordered_map<std::string, stream_id> stream_by_name_;  // channel + '\0' + address
  std::vector<stream_def> streams_;                            // index = stream - 1
  std::unordered_map<std::string, std::size_t> stream_count_;  // by channel
  std::unordered_map<std::string, std::uint32_t> producer_by_id_;
  std::unordered_map<std::uint32_t, producer_def> producers_;
  std::uint32_t next_producer_ = 1;
  forgotten_numbers forgotten_;
  std::size_t snapshot_stream_ = 0;  // streams written so far; everything else goes first
};

}  // namespace holdfast
