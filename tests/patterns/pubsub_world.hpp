// pubsub_world: channel_world for a pub/sub channel. Its runs are cut and filtered; the accounting
// of every subscription is checked after every turn.
#pragma once

#include "patterns/frame_codec.hpp"
#include "patterns/pubsub/pubsub.hpp"
#include "tests/patterns/channel_world.hpp"

namespace holdfast {

/// A frame that left the device, or the messages of one run to a plain peer.
struct pubsub_sent : sent_frame {
  std::vector<std::uint64_t> sequences;  ///< of the messages in the body, voids left out
};

class pubsub_world final : public channel_world<pubsub, pubsub_options, pubsub_sent> {
 public:
  explicit pubsub_world(pubsub_options options, std::uint64_t seed = 1);

  void publish(const std::vector<std::vector<std::string>>& messages) {
    channel_world::publish(stream(), messages);
  }
  void joined(plain_peer peer) {
    peer.stream = stream();
    channel_world::joined(peer);
  }
  stream_id stream() const { return names_->find_stream(options_.name, "")->stream; }

  std::uint32_t run_max = ~std::uint32_t{0};  ///< the driver's own limit of messages in one cut
  range unreadable;                           ///< sequences the log cannot give
  std::uint64_t trimmed = 1;                  ///< what the log was told in this life

 private:
  void forget_life() override { trimmed = 1; }
  void told(const ready& asked) override;
  void check_accounts() override;
  void cut_run(const frame_out& frame, const run& r) override;
  void take(const run& r, const fake_log::entry& block, bool dense, cut& done, pubsub_sent& made);
  void hand(const frame_out& frame, const fake_log::entry& block, pubsub_sent made, bool whole);
};

}  // namespace holdfast
