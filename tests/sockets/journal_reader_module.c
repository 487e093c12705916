/* The functions of holdfast/journal_reader.h in a shared object, for languages that load one: the
 * library itself is an archive unless it is built with BUILD_SHARED_LIBS. */
#include <holdfast/journal_reader.h>

/* Named, so that the linker takes them out of the archive. */
const void* const journal_reader_functions[] = {
    (const void*)holdfast_journal_version,       (const void*)holdfast_journal_open,
    (const void*)holdfast_journal_close,         (const void*)holdfast_journal_next,
    (const void*)holdfast_journal_position,      (const void*)holdfast_journal_next_entry,
    (const void*)holdfast_journal_part,          (const void*)holdfast_journal_find_stream,
    (const void*)holdfast_journal_find_producer, (const void*)holdfast_journal_error,
};
