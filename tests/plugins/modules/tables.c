/* Plugins with other tables than today's, one for each value of KIND. */
#include <holdfast/plugin.h>
#include <stdlib.h>

enum { OLD = 1, NEXT_MAJOR, SHORT_TABLE, NAMELESS, UNWILLING };

static int create(holdfast_call* call, holdfast_slice options, void** into) {
  (void)call, (void)options;
  *into = NULL;
  return HOLDFAST_OK;
}
static void destroy(void* instance) {
  (void)instance;
}
static int decode(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  (void)instance, (void)parts, (void)count;
  return call->append(call, "\xc3", 1); /* true */
}
/* What lies behind an old table is not the host's to read. */
static int never(void* instance, holdfast_call* call, const holdfast_slice* parts, size_t count) {
  (void)instance, (void)call, (void)parts, (void)count;
  abort();
}

static const holdfast_serializer table = {
    .struct_size = KIND == OLD           ? offsetof(holdfast_serializer, validate)
                   : KIND == SHORT_TABLE ? offsetof(holdfast_serializer, decode)
                                         : sizeof(holdfast_serializer),
    .major = KIND == NEXT_MAJOR ? HOLDFAST_PLUGIN_MAJOR + 1 : HOLDFAST_PLUGIN_MAJOR,
    .abilities = HOLDFAST_CAN_DECODE | HOLDFAST_CAN_ENCODE | HOLDFAST_CAN_VALIDATE,
    .name = KIND == NAMELESS ? "No Name" : "old",
    .version = "0",
    .create = create,
    .destroy = destroy,
    .decode = decode,
    .validate = never,
};

HOLDFAST_PLUGIN_EXPORT const holdfast_serializer* holdfast_plugin_entry(uint32_t host_major,
                                                                        uint32_t number) {
  (void)host_major;
  return KIND != UNWILLING && number == 0 ? &table : NULL;
}
