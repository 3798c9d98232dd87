#include "cli/state.h"

#include <string.h>

void state_cell(struct table *t, const msgpack_object *o) {
    char text[32 + PRINT_NUMBER_MAX], since[PRINT_NUMBER_MAX];
    size_t len;
    const char *state = proto_get_str(o, "state", &len);
    const int n = (int)(len < 24 ? len : 24);
    const bool timed = proto_str_is(proto_get(o, "state"), "idle") ||
                       proto_str_is(proto_get(o, "state"), "silent");
    const uint64_t quiet_us = proto_get_uint(o, "quiet_us", 0);
    print_duration(since, quiet_us);
    if (timed && quiet_us > 0)
        snprintf(text, sizeof text, "%.*s %s", n, state, since);
    else
        snprintf(text, sizeof text, "%.*s", n, state);
    table_cell(t, text);
}
