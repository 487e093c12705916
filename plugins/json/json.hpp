// json: the serializer of JSON text (RFC 8259, UTF-8). What JSON lacks is written as an object with
// a mark for its first key, so that a document comes back as it was:
//
//   bin             {"base64": "..."}
//   ext             {"ext": 5, "base64": "..."}         timestamps are ext -1
//   NaN, infinite   {"float": "nan"}, "inf", "-inf"
//   text, no UTF-8  {"text": "base64..."}
//   map             {"map": [[key, value], ...]}        when a key is no text, or it begins with a
//                                                       mark and has at most two entries
//
// Of a NaN only that it is one is kept. Floats of 32 bits become 64 bits of the same value. Whole
// numbers keep 64 bits; beyond that JSON is refused, as is what is deeper than 128 levels. Keys
// that stand twice in an object pass as they are. Objects that look like a mark and are not well
// formed are ordinary maps.
#pragma once

#include "holdfast/plugin.h"

extern "C" const holdfast_serializer* holdfast_json_entry(uint32_t host_major, uint32_t number);
