/* A serializer plugin in C: messages that are a C struct of 12 bytes, little-endian,
 *
 *   u32 number; f64 value;
 *
 * as documents {"number": 7, "value": 1.5}. Build: see CMakeLists.txt beside it, or
 *   cc -std=c11 -shared -fPIC -fvisibility=hidden sample.c -o sample.so
 * Try:   holdfast plugin check ./sample.so --document '{"number": 7, "value": 1.5}'
 * Use:   HOLDFAST_PLUGIN_PATH=$PWD holdfast journal cat DIR --decode sample */
#include <holdfast/plugin.h>
#include <string.h>

enum { sample_bytes = 12 };

static int say(holdfast_call* call, int code, const char* words) {
  return call->fail(call, code, words, strlen(words));
}

/* Nothing to set up: an instance is nothing. */
static int create(holdfast_call* call, holdfast_slice options, void** instance) {
  *instance = NULL;
  return options.size == 0 ? HOLDFAST_OK : say(call, HOLDFAST_OPTIONS, "sample takes no options");
}

static void destroy(void* instance) {
  (void)instance;
}

static int decode(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  (void)instance;
  if (count != 1 || parts[0].size != sample_bytes)
    return say(call, HOLDFAST_MALFORMED, "a sample has 12 bytes");
  const uint8_t* in = parts[0].data;
  /* MessagePack: a map of two; "number": u32, "value": f64; big-endian. */
  uint8_t out[28] = "\x82\xa6number\xce____\xa5value\xcb";
  for (int i = 0; i < 4; ++i) out[9 + i] = in[3 - i];
  for (int i = 0; i < 8; ++i) out[20 + i] = in[11 - i];
  return call->append(call, out, sizeof out);
}

/* What is left of a document. */
struct reader {
  const uint8_t* at;
  size_t left;
};

static int take(struct reader* from, size_t size, const uint8_t** into) {
  if (from->left < size) return 0;
  *into = from->at;
  from->at += size;
  from->left -= size;
  return 1;
}

static int take_number(struct reader* from, size_t size, uint64_t* into) {
  const uint8_t* bytes;
  if (!take(from, size, &bytes)) return 0;
  *into = 0;
  for (size_t i = 0; i < size; ++i) *into = *into << 8 | bytes[i];
  return 1;
}

static int take_text(struct reader* from, const char* expected) {
  const size_t size = strlen(expected);
  const uint8_t* bytes;
  return take(from, 1 + size, &bytes) && bytes[0] == (0xa0 | size) &&
         memcmp(bytes + 1, expected, size) == 0;
}

static int take_unsigned(struct reader* from, uint64_t* into) {
  const uint8_t* first;
  if (!take(from, 1, &first)) return 0;
  if (*first < 0x80) return *into = *first, 1;
  return *first >= 0xcc && *first <= 0xcf && take_number(from, (size_t)1 << (*first - 0xcc), into);
}

static int encode(void* instance, holdfast_call* call, holdfast_slice document) {
  (void)instance;
  struct reader in = {document.data, document.size};
  const uint8_t* byte;
  uint64_t number, value;
  if (!take(&in, 1, &byte) || *byte != 0x82 || !take_text(&in, "number") ||
      !take_unsigned(&in, &number) || !take_text(&in, "value") || !take(&in, 1, &byte) ||
      *byte != 0xcb || !take_number(&in, 8, &value) || in.left != 0)
    return say(call, HOLDFAST_UNSUPPORTED, "a sample is {\"number\": ..., \"value\": ...}");
  if (number > UINT32_MAX) return say(call, HOLDFAST_SCHEMA, "the number has 32 bits");
  uint8_t out[sample_bytes];
  for (int i = 0; i < 4; ++i) out[i] = (uint8_t)(number >> 8 * i);
  for (int i = 0; i < 8; ++i) out[4 + i] = (uint8_t)(value >> 8 * i);
  return call->append(call, out, sizeof out);
}

static const holdfast_serializer sample = {
    .struct_size = sizeof(holdfast_serializer),
    .major = HOLDFAST_PLUGIN_MAJOR,
    .minor = HOLDFAST_PLUGIN_MINOR,
    .abilities = HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE,
    .name = "sample",
    .version = "1.0",
    .media_type = "application/x-sample",
    .create = create,
    .destroy = destroy,
    .decode = decode,
    .encode = encode,
};

const holdfast_serializer* holdfast_plugin_entry(uint32_t host_major, uint32_t number) {
  return host_major == HOLDFAST_PLUGIN_MAJOR && number == 0 ? &sample : NULL;
}
