#include "node/control/call/control_call.h"

#include <stdarg.h>
#include <stdio.h>

int call_fail(struct call *call, int err, const char *detail, const char *fmt, ...) {
    if (detail)
        snprintf(call->detail, sizeof call->detail, "%s", detail);
    if (fmt) {
        va_list ap;
        va_start(ap, fmt);
        vsnprintf(call->text, sizeof call->text, fmt, ap);
        va_end(ap);
    }
    return err;
}

int call_limit(struct call *call, enum limit limit, uint64_t max, const char *detail) {
    call->cause = (struct cause){.limit = limit, .max = max};
    return call_fail(call, limit_err(limit), detail, NULL);
}

int call_no_contact(struct call *call, const char *name) {
    return call_fail(call, ERR_NOT_FOUND, name, "there is no contact of that name");
}

int call_empty(struct call *call) {
    proto_map(call->w, NULL);
    proto_end(call->w);
    return 0;
}

int call_uint(struct call *call, const char *key, uint64_t v) {
    proto_map(call->w, NULL);
    proto_uint(call->w, key, v);
    proto_end(call->w);
    return 0;
}
