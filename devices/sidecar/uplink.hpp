// uplink: the local queue to the far device, every message once and in order.
//
// A far producer's number is the message's sequence in the local journal (less a base, see
// numbering.hpp), so whatever is sent again is known there as a duplicate, without a limit in time.
// A message is acked here once it is accepted there. A sequence that has no message any more (void,
// unreadable) is sent as a void number, but only once the local journal says that it is done with:
// until then it may still come. This object is the queue's only consumer.
#pragma once

#include <deque>
#include <map>
#include <optional>

#include "devices/sidecar/bridge.hpp"
#include "devices/sidecar/numbering.hpp"
#include "holdfast/pipeline.hpp"

namespace holdfast {

class uplink final : public bridge {
 public:
  uplink(bridge_options options, numbering numbers, worker local, producer far);

  status run(int stop) override;

 private:
  // Delivered, in whole or in part on its way, not acked.
  struct carried {
    batch messages;
    std::uint64_t last = 0;  // sequence
  };

  status turn();
  status align();
  status begin_generation(std::uint64_t done);
  status take_accepted();
  void take_refusals();
  void take_batches();
  status send_current();
  status send_one(const delivery& message);
  status skip(std::uint64_t end, const char* reason);
  bool next_batch();
  result<bool> hole_is_sure(std::uint64_t before);
  void reject(std::uint64_t sequence, const std::string& reason);
  void wait(int stop);
  void tell(std::uint64_t now);
  status leave();

  bridge_options options_;
  numbering numbers_;
  worker local_;
  producer far_;
  bool aligned_ = false, blocked_ = false, hole_ = false;
  std::uint64_t next_ = 0;                // sequence that is sent next
  std::uint64_t accepted_ = 0;            // sequence; all up to it are done with there
  std::map<std::uint64_t, batch> early_;  // by the first sequence that is shown
  std::optional<carried> current_;
  batch::iterator at_ = batch().end();
  std::deque<carried> sent_;
  bridge_report report_;
  std::uint64_t told_ns_ = 0, said_ns_ = 0;
};

}  // namespace holdfast
