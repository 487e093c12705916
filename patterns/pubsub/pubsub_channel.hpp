// pubsub_channel: publish/subscribe, device side. Everything published is journaled in one order;
// each subscription has a cursor of its own, so a slow subscriber holds up nobody and is dropped by
// nobody; a durable one goes on where it was.
//
// Contract: a `pattern` (patterns/pattern.hpp). One stream a channel, with the empty address; a
// message's topic is its first part. Retention, not acks, ends messages. Source:
// docs/guarantees.md#pubsub.
#pragma once

#include <memory>

#include "patterns/catalog.hpp"
#include "patterns/pattern.hpp"
#include "patterns/pubsub/pubsub_options.hpp"

namespace holdfast {

/// `names` is shared by all channels of a device and outlives the channel.
std::unique_ptr<pattern> make_pubsub(pubsub_options options, catalog& names, std::uint64_t seed);

}  // namespace holdfast
