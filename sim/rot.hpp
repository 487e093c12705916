// rot_message: one bit of a stored message changes on the medium, in every copy that has been there
// for a while and that a later durable record proves.
//
// Contract: reads segments as docs/journal_format.md lays them out, with no code of the product.
#pragma once

#include <vector>

#include "sim/message.hpp"
#include "sim/virtual_disk.hpp"

namespace holdfast::sim {

/// Who shares the records that were hit, the message itself among them; empty if it is nowhere.
std::vector<message_key> rot_message(virtual_disk& disk, const message_key& key,
                                     random_source& salt);

}  // namespace holdfast::sim
