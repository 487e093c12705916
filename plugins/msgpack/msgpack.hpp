// msgpack: the serializer of MessagePack. A document is MessagePack already, so the bytes pass
// through once they are seen to be exactly one object, at most 128 levels deep.
#pragma once

#include "holdfast/plugin.h"

extern "C" const holdfast_serializer* holdfast_msgpack_entry(uint32_t host_major, uint32_t number);
