/* A whole plugin in C11: its texts are in capitals, its documents are not. Compiled with every
 * warning an error, it also holds the layout of plugin.h: offsets never change. */
#include <assert.h>
#include <holdfast/plugin.h>
#include <stdlib.h>
#include <string.h>

#if UINTPTR_MAX == UINT64_MAX
static_assert(offsetof(holdfast_call, output_max) == 8, "layout");
static_assert(offsetof(holdfast_call, append) == 16, "layout");
static_assert(offsetof(holdfast_call, should_stop) == 40, "layout");
static_assert(sizeof(holdfast_meta) == 64, "layout");
static_assert(offsetof(holdfast_serializer, name) == 16, "layout");
static_assert(offsetof(holdfast_serializer, create) == 40, "layout");
static_assert(offsetof(holdfast_serializer, decode) == 56, "layout");
static_assert(offsetof(holdfast_serializer, encode) == 64, "layout");
static_assert(offsetof(holdfast_serializer, validate) == 72, "layout");
static_assert(offsetof(holdfast_serializer, describe) == 96, "layout");
#endif

struct instance {
  unsigned calls;
};

static int say(holdfast_call* call, int code, const char* words) {
  return call->fail(call, code, words, strlen(words));
}

static int create(holdfast_call* call, holdfast_slice options, void** into) {
  if (options.size > 0) return say(call, HOLDFAST_OPTIONS, "shout takes none");
  *into = calloc(1, sizeof(struct instance));
  return *into != NULL ? HOLDFAST_OK : say(call, HOLDFAST_INTERNAL, "no memory");
}

static void destroy(void* instance) {
  free(instance);
}

static int validate(void* instance, holdfast_call* call, const holdfast_slice* parts,
                    size_t count) {
  ((struct instance*)instance)->calls++;
  if (count != 1 || parts[0].size > 31) return say(call, HOLDFAST_SCHEMA, "one part of 31 bytes");
  for (size_t i = 0; i < parts[0].size; ++i)
    if (parts[0].data[i] < 'A' || parts[0].data[i] > 'Z')
      return say(call, HOLDFAST_MALFORMED, "not in capitals");
  return HOLDFAST_OK;
}

static int decode(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  int code = validate(instance, call, parts, count);
  if (code != HOLDFAST_OK) return code;
  uint8_t text[32] = {(uint8_t)(0xa0 | parts[0].size)};
  for (size_t i = 0; i < parts[0].size; ++i) text[1 + i] = (uint8_t)(parts[0].data[i] + 32);
  return call->append(call, text, parts[0].size + 1);
}

static int encode(void* instance, holdfast_call* call, holdfast_slice document) {
  (void)instance;
  if (document.size == 0 || (document.data[0] & 0xe0) != 0xa0)
    return say(call, HOLDFAST_UNSUPPORTED, "only short texts can be shouted");
  for (size_t i = 1; i < document.size; ++i) {
    const uint8_t letter = document.data[i] & 0xdf;
    const int code = call->append(call, &letter, 1);
    if (code != HOLDFAST_OK) return code;
  }
  return HOLDFAST_OK;
}

static int peek(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count,
                holdfast_meta* into) {
  (void)instance;
  if (count != 1 || parts[0].size == 0) return say(call, HOLDFAST_MALFORMED, "nothing to see");
  into->present = HOLDFAST_META_KEY | HOLDFAST_META_NUMBER;
  into->key.data = parts[0].data;
  into->key.size = 1;
  into->number = parts[0].size;
  return HOLDFAST_OK;
}

static int schema_of(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count,
                     uint64_t* number) {
  (void)instance, (void)parts, (void)count;
  *number = 7;
  return call->append(call, "[A-Z]*", 6);
}

static int describe(void* instance, holdfast_call* call) {
  (void)instance;
  return call->append(call, "\x81\xa4name\xa5shout", 12);
}

static const holdfast_serializer table = {
    .struct_size = sizeof(holdfast_serializer),
    .major = HOLDFAST_PLUGIN_MAJOR,
    .minor = HOLDFAST_PLUGIN_MINOR,
    .abilities = HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE | HOLDFAST_CAN_VALIDATE |
                 HOLDFAST_CAN_PEEK | HOLDFAST_HAS_SCHEMA | 1u << 31 /* not known to anybody */,
    .name = "shout",
    .version = "1.2",
    .media_type = "text/x-shout",
    .create = create,
    .destroy = destroy,
    .decode = decode,
    .encode = encode,
    .validate = validate,
    .peek = peek,
    .schema_of = schema_of,
    .describe = describe,
};

const holdfast_serializer* holdfast_plugin_entry(uint32_t host_major, uint32_t number) {
  return host_major == HOLDFAST_PLUGIN_MAJOR && number == 0 ? &table : NULL;
}
