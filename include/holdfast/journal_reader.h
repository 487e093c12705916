/* journal_reader: reads a journal from any language that can call C. C11, and C++ from 17 on.
 *
 * It looks at a data directory, dead or in use by a device, and goes through its records in order:
 * blocks with their messages, acks, definitions. At the end it may be asked again: what a device
 * writes later comes later. It reads by pread, verifies every checksum, takes no lock and never
 * writes. What the types and fields mean: docs/journal_format.md. A whole program:
 * tests/sockets/journal_dump.c.
 *
 * Versions    open() is given HOLDFAST_JOURNAL_MAJOR and refuses another one. The structures grow
 *             at the end only: set struct_size to sizeof before a call, and nothing beyond it is
 *             written. Statuses, kinds and record types that are not known may come: skip them.
 * Ownership   The handle is yours from open(), also when that fails, until close(). Bytes belong to
 *             the handle: those of a record and its messages hold until the next call of next(),
 *             those of names until next(), error() until any call. Text is no C string: it has a
 *             size and no closing zero, but for error().
 * Threads     A handle is used by one thread at a time; several handles may be used at once.
 * Errors      Calls return a holdfast_journal_status; below 0 error() says why. No exception and no
 *             signal leaves the library; it prints nothing.
 * Damage      is told, not hidden: next() returns HOLDFAST_JOURNAL_GAP with the exact positions,
 *             and goes on behind them. What was written and not synced may be handed out and then
 *             be lost to a power failure: gap kind HOLDFAST_GAP_CUT says so.
 * Cost        Memory: one window of 1 MiB or the largest record, and the names of streams and
 *             producers. next() does not wait; ask again after some 100 ms when it says END. */
#ifndef HOLDFAST_JOURNAL_READER_H
#define HOLDFAST_JOURNAL_READER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define HOLDFAST_JOURNAL_MAJOR 1u
#define HOLDFAST_JOURNAL_MINOR 0u

/* Positions to begin at, beside those of records. */
#define HOLDFAST_JOURNAL_FIRST UINT64_C(0)
#define HOLDFAST_JOURNAL_NEXT UINT64_MAX /* behind what is there now */

/* Numbers are for ever. */
enum holdfast_journal_status {
  HOLDFAST_JOURNAL_FAILED = -1,
  HOLDFAST_JOURNAL_OK = 0,
  HOLDFAST_JOURNAL_END = 1, /* no more, now */
  HOLDFAST_JOURNAL_GAP = 2  /* next(): positions that cannot be read; the record says which */
};

enum holdfast_gap_kind {
  HOLDFAST_GAP_NONE = 0,
  HOLDFAST_GAP_TRIMMED = 1, /* removed before it was read */
  HOLDFAST_GAP_DAMAGED = 2, /* a checksum does not hold */
  HOLDFAST_GAP_CUT = 3      /* was handed out, and is no part of the journal any more */
};

typedef struct holdfast_journal holdfast_journal;

/* Bytes of the handle. */
typedef struct holdfast_bytes {
  const uint8_t* data; /* may be NULL when size is 0 */
  size_t size;
} holdfast_bytes;

typedef struct holdfast_record {
  uint32_t struct_size; /* set it before the call */
  uint32_t type;        /* 16 is a block of messages; others: docs/journal_format.md */
  uint64_t position;
  uint64_t size;  /* bytes it takes in the journal; of a gap: from position on */
  uint32_t flags; /* of the record header */
  uint32_t count; /* messages of a block, void ones included */
  uint32_t stream;
  uint32_t producer;
  uint64_t first_sequence;
  uint64_t producer_number; /* of the first message */
  uint64_t time_ns;         /* since 1970-01-01 UTC: when the device took it */
  uint64_t watermark;       /* everything below this position was durable then */
  uint32_t level;           /* asked for: 1 process, 2 interval, 3 disk */
  uint32_t gap;             /* holdfast_gap_kind */
  holdfast_bytes body;
} holdfast_record;

typedef struct holdfast_entry {
  uint32_t struct_size; /* set it before the call */
  uint32_t is_void;     /* 1: holds its number's place, is no message */
  uint64_t sequence;
  uint64_t time_ns;
  uint64_t producer_number; /* 0: none */
  uint32_t parts;
  uint32_t reserved;
  holdfast_bytes properties; /* as stored */
} holdfast_entry;

typedef struct holdfast_stream {
  uint32_t struct_size; /* set it before the call */
  uint32_t epoch;
  holdfast_bytes channel;
  holdfast_bytes address; /* queue or service; empty in pub/sub: the topic is the first part */
  holdfast_bytes pattern; /* "pipeline", "pubsub", "reqrep" */
} holdfast_stream;

/* (major << 16) + minor of the library. */
uint32_t holdfast_journal_version(void);

/* Opens the journal in `directory` (UTF-8 or whatever the file system takes) at `from`: the first
 * record at or behind that position. `*out` is always set and is to be closed, unless it is NULL:
 * then there was no memory. */
int holdfast_journal_open(const char* directory, uint32_t major, uint64_t from,
                          holdfast_journal** out);
void holdfast_journal_close(holdfast_journal* journal); /* NULL is allowed */

/* OK: a record. GAP: see `gap`, `position` and `size`. END: nothing more now. */
int holdfast_journal_next(holdfast_journal* journal, holdfast_record* into);
/* Where the next record is expected: what to open() with to go on later. */
uint64_t holdfast_journal_position(const holdfast_journal* journal);

/* The messages of the record next() gave, one a call. END behind the last, and for other records.
 */
int holdfast_journal_next_entry(holdfast_journal* journal, holdfast_entry* into);
/* A part of the message next_entry() gave; {NULL, 0} beyond its last. */
holdfast_bytes holdfast_journal_part(const holdfast_journal* journal, uint32_t index);

/* What numbers stand for. END: not known. */
int holdfast_journal_find_stream(holdfast_journal* journal, uint32_t stream, holdfast_stream* into);
/* The producer's id without its channel. */
int holdfast_journal_find_producer(holdfast_journal* journal, uint32_t producer,
                                   holdfast_bytes* id);

/* Why the last call of this handle failed: a sentence, zero-terminated; empty if it did not. */
const char* holdfast_journal_error(const holdfast_journal* journal);

#ifdef __cplusplus
}
#endif

#endif
