// raw: the serializer of bytes that mean nothing here. The document of a part is a MessagePack bin
// of its bytes; a bin or a text becomes the part again.
#pragma once

#include "holdfast/plugin.h"

extern "C" const holdfast_serializer* holdfast_raw_entry(uint32_t host_major, uint32_t number);
