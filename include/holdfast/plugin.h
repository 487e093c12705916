/* plugin: what a serializer plugin and Holdfast know of each other. C11, and C++ from 17 on.
 *
 * A serializer turns the parts of a message into a *document* and back. A document is one
 * MessagePack object: what all serializers have in common, so that any two of them can transcode. A
 * plugin is a shared object NAME.so that exports one function, holdfast_plugin_entry(). How to
 * write one: docs/plugins.md; a whole one: examples/plugin/.
 *
 * Versions    `major` must be equal, or the plugin is refused. `minor` and the structures grow at
 * the end only: each begins with struct_size, and nobody reads a field beyond it. Ability bits that
 * are not known are ignored. Ownership   What is passed in is borrowed for the call. Output goes
 * through holdfast_call alone; no memory changes hands. The table and its strings must live as long
 * as the process: a plugin is never unloaded. Threads     An instance is used by one thread at a
 * time; several instances may be used at once, so instances share nothing that changes. create()
 * may be called on any thread. Errors      A function returns HOLDFAST_OK or another holdfast_code;
 * call->fail() gives it words. No exception, longjmp, exit or signal handler may leave a plugin.
 * (An exception is stopped and counts as HOLDFAST_INTERNAL, but is a bug of the plugin.) Limits
 * Output beyond call->output_max bytes or 65 535 parts is refused with HOLDFAST_LIMIT. A call has a
 * time: long ones ask call->should_stop() now and then; one that comes back late has failed,
 * whatever it says. Failure     Loses nothing: the journal keeps the bytes that came. */
#ifndef HOLDFAST_PLUGIN_H
#define HOLDFAST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOLDFAST_PLUGIN_MAJOR 1u
#define HOLDFAST_PLUGIN_MINOR 0u
#define HOLDFAST_PLUGIN_ENTRY "holdfast_plugin_entry"

#if defined(__GNUC__)
#define HOLDFAST_PLUGIN_EXPORT __attribute__((visibility("default")))
#else
#define HOLDFAST_PLUGIN_EXPORT
#endif

/* Numbers are for ever. */
enum holdfast_code {
  HOLDFAST_OK = 0,
  HOLDFAST_MALFORMED = 1,   /* the bytes are not of this format */
  HOLDFAST_UNSUPPORTED = 2, /* of this format, but it cannot be expressed in the other one */
  HOLDFAST_SCHEMA = 3,      /* well formed, and not what the schema asks for */
  HOLDFAST_LIMIT = 4,       /* too large, too deep, too slow */
  HOLDFAST_OPTIONS = 5,     /* create() does not understand its options */
  HOLDFAST_INTERNAL = 6     /* out of memory, a bug, ... */
};

/* What a serializer can do; a bit without its function counts as not set. */
enum holdfast_ability {
  HOLDFAST_CAN_DECODE = 1,
  HOLDFAST_CAN_ENCODE = 2,
  HOLDFAST_CAN_VALIDATE = 4,
  HOLDFAST_CAN_PEEK = 8,
  HOLDFAST_HAS_SCHEMA = 16,
  /* Takes and gives all parts of a message. Without it, the last part alone: the parts before it
   * are a topic or a header, and stay as they are. */
  HOLDFAST_WHOLE_MESSAGE = 32
};

/* Bytes somebody else owns. Text is UTF-8 without a closing zero. */
typedef struct holdfast_slice {
  const uint8_t* data; /* may be NULL when size is 0 */
  size_t size;
} holdfast_slice;

/* What the host gives to one call, and takes back when it returns. */
typedef struct holdfast_call holdfast_call;
struct holdfast_call {
  uint32_t struct_size;
  uint32_t reserved;
  uint64_t output_max; /* bytes this call may append */
  /* Adds bytes to the output. HOLDFAST_OK, or a code to return at once. */
  int (*append)(holdfast_call* call, const void* bytes, size_t size);
  /* encode(): what was appended so far is a part; begins the next one. Not needed after the last.
   */
  int (*end_part)(holdfast_call* call);
  /* Says why the call fails; the words are copied. Returns `code`: return call->fail(...). */
  int (*fail)(holdfast_call* call, int code, const char* words, size_t size);
  /* Not 0 when the call's time is over. */
  int (*should_stop)(const holdfast_call* call);
};

/* What peek() found without decoding everything. Fill what `present` says. */
enum holdfast_meta_field {
  HOLDFAST_META_KEY = 1,
  HOLDFAST_META_ADDRESS = 2,
  HOLDFAST_META_MARKER = 4,
  HOLDFAST_META_NUMBER = 8,
  HOLDFAST_META_TIME = 16
};
enum holdfast_marker { HOLDFAST_MARKER_FIRST = 1, HOLDFAST_MARKER_LAST = 2 };
typedef struct holdfast_meta {
  uint32_t struct_size;
  uint32_t present;       /* holdfast_meta_field */
  holdfast_slice key;     /* in the message's bytes: what belongs together */
  holdfast_slice address; /* in the message's bytes: queue, topic or service */
  uint32_t marker;        /* holdfast_marker: a series begins or ends with this message */
  uint32_t reserved;
  uint64_t number; /* the sender's own number of the message */
  int64_t time_ns; /* when it happened, since 1970-01-01 UTC */
} holdfast_meta;

/* One serializer. Fields up to `encode` must be there; functions that are not can be NULL. */
typedef struct holdfast_serializer {
  uint32_t struct_size; /* sizeof(holdfast_serializer) as this header says */
  uint32_t major;       /* HOLDFAST_PLUGIN_MAJOR */
  uint32_t minor;       /* HOLDFAST_PLUGIN_MINOR */
  uint32_t abilities;   /* holdfast_ability */
  const char* name;     /* as people write it: a-z, 0-9, '_', '-'; 1 to 64 characters */
  const char* version;  /* the serializer's own */
  const char* media_type;

  /* `options`: a MessagePack map, or empty. */
  int (*create)(holdfast_call* call, holdfast_slice options, void** instance);
  void (*destroy)(void* instance);
  /* Parts of a message (one, but for HOLDFAST_WHOLE_MESSAGE) to a document, appended. */
  int (*decode)(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count);
  /* A document to parts: appended, with end_part() between them. */
  int (*encode)(void* instance, holdfast_call* call, holdfast_slice document);

  /* Could decode() do it? Appends nothing. */
  int (*validate)(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count);
  /* Must be quick; appends nothing. */
  int (*peek)(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count,
              holdfast_meta* into);
  /* The schema of this message: its number, and its text appended. */
  int (*schema_of)(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count,
                   uint64_t* number);
  /* A document for people and programs: a map of what the serializer is and takes as options. */
  int (*describe)(void* instance, holdfast_call* call);
} holdfast_serializer;

/* The plugin's serializers, 0, 1, ...; NULL when there is no such number, or when none of them
 * knows the host's major version. */
typedef const holdfast_serializer* (*holdfast_plugin_entry_function)(uint32_t host_major,
                                                                     uint32_t number);
/* To be defined by a plugin. */
HOLDFAST_PLUGIN_EXPORT const holdfast_serializer* holdfast_plugin_entry(uint32_t host_major,
                                                                        uint32_t number);

#ifdef __cplusplus
}
#endif

#endif
