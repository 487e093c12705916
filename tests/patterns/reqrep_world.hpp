// reqrep_world: channel_world for a request-reply channel. After every turn it is also checked that
// requests and rows agree.
#pragma once

#include "patterns/frame_codec.hpp"
#include "patterns/reqrep/reqrep.hpp"
#include "tests/patterns/channel_world.hpp"

namespace holdfast {

/// Of a foreign peer's frame, the parts.
struct reqrep_sent : sent_frame {
  std::vector<std::string> parts;
  stream_id stream = no_stream;        // of a run
  std::uint64_t first = 0, count = 0;  // likewise
};

class reqrep_world final : public channel_world<reqrep, reqrep_options, reqrep_sent> {
 public:
  explicit reqrep_world(reqrep_options options, std::uint64_t seed = 1);

  /// A multipart of a foreign peer.
  void receive_parts(peer_id from, door where, stream_id stream,
                     const std::vector<std::string>& parts);
  void join(peer_id worker, stream_id stream);
  stream_id stream_of(const std::string& address) const;
  identity counts(const std::string& address);

  /// Who can take nothing now: their runs come back untouched.
  peer_id stuck = 0;

 private:
  void check_accounts() override;
  void leaves(const frame_out& frame, reqrep_sent made) override;
  void cut_run(const frame_out& frame, const run& r) override;
};

}  // namespace holdfast
