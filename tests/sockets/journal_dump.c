/* journal_dump: every record of a journal through holdfast/journal_reader.h, a line each, with its
 * messages: what a program in C that reads a journal looks like. Usage: journal_dump DIR
 * [--follow]: then END is no end, and a line from standard input, or its end, asks again. Exit
 * status 1 and a sentence if it fails. */
#include <holdfast/journal_reader.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void print_hex(holdfast_bytes bytes) {
  for (size_t i = 0; i < bytes.size; ++i) printf("%02x", bytes.data[i]);
}

static int print_messages(holdfast_journal* journal, const holdfast_record* record) {
  holdfast_stream where = {.struct_size = sizeof where};
  holdfast_bytes producer = {NULL, 0};
  holdfast_entry entry = {.struct_size = sizeof entry};
  int status;
  if (holdfast_journal_find_stream(journal, record->stream, &where) < 0) return -1;
  if (holdfast_journal_find_producer(journal, record->producer, &producer) < 0) return -1;
  while ((status = holdfast_journal_next_entry(journal, &entry)) == HOLDFAST_JOURNAL_OK) {
    if (entry.is_void) continue;
    printf("message %" PRIu64 " %" PRIu64 " ", entry.sequence, entry.time_ns);
    print_hex(where.channel);
    printf("/");
    print_hex(where.address);
    printf(" %.*s ", (int)where.pattern.size, (const char*)where.pattern.data);
    print_hex(producer);
    for (uint32_t i = 0; i < entry.parts; ++i) {
      printf(" ");
      print_hex(holdfast_journal_part(journal, i));
      printf(".");
    }
    printf("\n");
  }
  return status < 0 ? -1 : 0;
}

static int read_all(holdfast_journal* journal) {
  holdfast_record record = {.struct_size = sizeof record};
  for (;;) {
    switch (holdfast_journal_next(journal, &record)) {
      case HOLDFAST_JOURNAL_OK:
        printf("record %" PRIu64 " %u\n", record.position, (unsigned)record.type);
        if (print_messages(journal, &record) != 0) return -1;
        break;
      case HOLDFAST_JOURNAL_GAP:
        printf("gap %u %" PRIu64 " %" PRIu64 " %" PRIu64 " %u\n", (unsigned)record.gap,
               record.position, record.size, record.first_sequence, (unsigned)record.count);
        break;
      case HOLDFAST_JOURNAL_END: return 0;
      default: return -1;
    }
  }
}

/* What a caller may do wrong is answered, never undefined. */
static int check_misuse(const char* directory) {
  holdfast_journal* journal = NULL;
  holdfast_record record;
  holdfast_entry entry = {.struct_size = sizeof entry};
  _Alignas(8) uint32_t small[2] = {sizeof small, 77};
  memset(&record, 0xff, sizeof record);
  if (holdfast_journal_version() >> 16 != HOLDFAST_JOURNAL_MAJOR) return 1;
  if (holdfast_journal_open(directory, HOLDFAST_JOURNAL_MAJOR + 1, 0, &journal) >= 0) return 2;
  if (strstr(holdfast_journal_error(journal), "version") == NULL) return 3;
  if (holdfast_journal_next(journal, &record) >= 0) return 4; /* it is not open */
  holdfast_journal_close(journal);
  if (holdfast_journal_open(NULL, HOLDFAST_JOURNAL_MAJOR, 0, &journal) >= 0) return 5;
  holdfast_journal_close(journal);
  if (holdfast_journal_open(directory, HOLDFAST_JOURNAL_MAJOR, 0, NULL) >= 0) return 6;
  if (holdfast_journal_open(directory, HOLDFAST_JOURNAL_MAJOR, HOLDFAST_JOURNAL_FIRST, &journal) !=
      0)
    return 7;
  if (holdfast_journal_next_entry(journal, &entry) != HOLDFAST_JOURNAL_END)
    return 8; /* no record yet */
  if (holdfast_journal_part(journal, 0).data != NULL) return 9;
  record.struct_size = 0;
  if (holdfast_journal_next(journal, &record) >= 0) return 10;
  if (strstr(holdfast_journal_error(journal), "struct_size") == NULL) return 11;
  /* An older program's structure: nothing beyond it is written. */
  if (holdfast_journal_next(journal, (holdfast_record*)(void*)small) < 0 ||
      small[0] != sizeof small)
    return 12;
  if (*holdfast_journal_error(journal) != '\0' || holdfast_journal_position(journal) == 0)
    return 13;
  holdfast_journal_close(journal);
  holdfast_journal_close(NULL);
  if (holdfast_journal_next(NULL, &record) >= 0 || holdfast_journal_error(NULL) == NULL) return 14;
  return 0;
}

int main(int argc, char** argv) {
  holdfast_journal* journal = NULL;
  char line[80];
  int status;
  if (argc < 2) return 2;
  if (argc > 2 && strcmp(argv[2], "--misuse") == 0) return check_misuse(argv[1]);
  status = holdfast_journal_open(argv[1], HOLDFAST_JOURNAL_MAJOR, HOLDFAST_JOURNAL_FIRST, &journal);
  while (status == HOLDFAST_JOURNAL_OK) {
    status = read_all(journal);
    if (status != 0 || argc < 3) break;
    printf("end\n");
    fflush(stdout);
    if (fgets(line, sizeof line, stdin) == NULL) break;
  }
  if (status != HOLDFAST_JOURNAL_OK) fprintf(stderr, "%s\n", holdfast_journal_error(journal));
  holdfast_journal_close(journal);
  return status == HOLDFAST_JOURNAL_OK ? 0 : 1;
}
