// reqrep_channel: request-reply, device side. A request is journaled until its reply, which is the
// ack; a worker that vanishes loses its request to another; a repeated request gets the stored
// reply, never a second execution after it.
//
// Contract: a `pattern` (patterns/pattern.hpp). One stream and one work queue a service, and a
// stream of replies beside it (SERVICE.reply). Speaks HFP, plain REQ/REP/DEALER, READY-style
// workers and Majordomo, by the door a frame came in. Source: docs/guarantees.md#reqrep.
#pragma once

#include <memory>

#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"
#include "patterns/reqrep/reqrep_options.hpp"

namespace holdfast {

/// `names` is shared by all channels of a device and outlives the channel.
std::unique_ptr<pattern> make_reqrep(reqrep_options options, catalog& names, std::uint64_t seed);

}  // namespace holdfast
