// pipeline_channel: push/pull, device side. Producers publish into queues, each queue has one group
// of consumers that share its messages; every message is acked, or comes back, or ends among the
// dead letters.
//
// Contract: a `pattern` (patterns/pattern.hpp). It owns the sessions of its reliable peers, the
// intake of producer numbers and one work queue per address. Sequences become visible to consumers
// when their records are durable at the channel's level. Source: docs/guarantees.md#pipeline.
#pragma once

#include <memory>
#include <string>

#include "base/random.hpp"
#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"
#include "patterns/pipeline/pipeline_options.hpp"

namespace holdfast {

/// `names` is shared by all channels of a device and outlives the channel.
std::unique_ptr<pattern> make_pipeline(pipeline_options options, catalog& names,
                                       std::uint64_t seed);

}  // namespace holdfast
