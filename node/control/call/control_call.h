/* control_call.h: one request while it is carried out: who asks, its arguments (control_args.h),
 * the answer that is being written, and how it fails. A method takes nothing but this.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_CALL_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_CALL_H

#include "node/api/rpc/control_proto.h"
#include "node/control/call/control_conn.h"
#include "node/control/call/control_limits.h"
#include "node/node.h"

enum arg_kind {
    ARG_STR,  /* max: bytes; no NUL inside */
    ARG_TEXT, /* max: bytes; anything inside */
    ARG_UINT, /* max: value, 0 = any */
    ARG_BOOL,
    ARG_STRS, /* array of ARG_STR; max: bytes of each; TRANSFER_FILES_MAX of them */
    ARG_FEW,  /* the same, CONTROL_FEW_MAX of them */
};
struct arg_spec {
    const char *name; /* NULL: no further arguments */
    enum arg_kind kind;
    bool required;
    uint64_t max;
};

struct group;
struct waits;
struct facts;

struct call {
    struct node *node;
    struct conn *conn; /* who asks */
    struct conns *conns;
    struct waits *waits;
    struct facts *facts;
    const struct group *const *groups; /* all of them */
    void *state;                       /* of the method's group */
    uint64_t now_us;
    uint32_t id;
    const struct method *method;
    const msgpack_object *params; /* a checked map, or NULL if there are none */
    struct proto_writer *w;       /* a response is open: write one map, or return something else */
    size_t work_bytes;            /* what it has cost beside the bytes of request and answer */
    char text[512], detail[256];  /* of an error */
    struct cause cause;           /* likewise; of a limit only where call_limit was asked */
};

enum { CALL_LATER = 1 }; /* the answer comes through control_wait.h */

struct method {
    const char *name;              /* NULL: no further methods */
    int (*run)(struct call *call); /* 0, CALL_LATER or an error */
    struct arg_spec args[CONTROL_ARGS_MAX + 1];
};

/* Arguments that many methods have. */
#define ARG_NAME                                                                                   \
    { "name", ARG_STR, true, PETNAME_MAX }
#define ARG_ID                                                                                     \
    { "id", ARG_UINT, true, 0 }
#define ARG_TIMEOUT                                                                                \
    { "timeout_us", ARG_UINT, false, CONTROL_TIMEOUT_MAX_US }

/* Makes the error's sentence; gives err back. fmt NULL: err_text. detail may be NULL. */
int call_fail(struct call *call, int err, const char *detail, const char *fmt, ...)
    PRINTF_LIKE(4, 5);
/* A limit of the control API is met; gives its error. */
int call_limit(struct call *call, enum limit limit, uint64_t max, const char *detail);
/* There is no contact of that name. */
int call_no_contact(struct call *call, const char *name);
/* An answer without anything in it; 0. */
int call_empty(struct call *call);
/* One that says one number; 0. */
int call_uint(struct call *call, const char *key, uint64_t v);

#endif
