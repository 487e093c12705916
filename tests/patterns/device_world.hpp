// device_world: channel_world for a pipeline channel.
#pragma once

#include "patterns/frame_codec.hpp"
#include "patterns/pipeline/pipeline.hpp"
#include "tests/patterns/channel_world.hpp"

namespace holdfast {

class device_world final : public channel_world<pipeline, pipeline_options> {
 public:
  explicit device_world(pipeline_options options, std::uint64_t seed = 1);

  identity counts(stream_id stream = 1);

  /// What the log was told in this life to be no longer live (stream 1), in order.
  std::vector<range> settled;
  /// Sequences the log cannot give (stream 1).
  range unreadable;

 private:
  void forget_life() override { settled.clear(); }
  void told(const ready& asked) override;
  void check_accounts() override;
  void cut_run(const frame_out& frame, const run& r) override;
};

}  // namespace holdfast
