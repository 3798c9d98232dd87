#include "cli/kit/state.h"

#include <string.h>

#include "cli/screen/table.h"
#include "crypto/base/err.h"

/* How it does not let us in; NULL: it does, or has not said so. */
static const char *denied(const msgpack_object *o) {
    switch (err_from_wire(proto_get_uint(proto_get(o, "denied"), "num", 0))) {
    case ERR_OK:
        return NULL;
    case ERR_TICKET:
        return "ticket refused";
    case ERR_UNKNOWN:
        return "has removed us";
    case ERR_SECRET:
        return "other secret";
    case ERR_STALE:
        return "our key is old";
    default:
        return "another node";
    }
}

void state_cell(struct table *t, const msgpack_object *o) {
    char text[32 + PRINT_NUMBER_MAX], since[PRINT_NUMBER_MAX];
    size_t len;
    const char *state = proto_get_str(o, "state", &len);
    const int n = (int)(len < 24 ? len : 24);
    const bool timed = proto_str_is(proto_get(o, "state"), "idle") ||
                       proto_str_is(proto_get(o, "state"), "silent");
    const uint64_t quiet_us = proto_get_uint(o, "quiet_us", 0);
    if (denied(o)) {
        table_cell(t, denied(o));
        return;
    }
    print_duration(since, quiet_us);
    if (timed && quiet_us > 0)
        snprintf(text, sizeof text, "%.*s %s", n, state, since);
    else
        snprintf(text, sizeof text, "%.*s", n, state);
    table_cell(t, text);
}
