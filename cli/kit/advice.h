/* advice.h: what a person can do about an error, by what was wanted, what went wrong and on which
 * side: for a fault of the peer's never what would help here, for a message or a ticket never an
 * option of recv. One table, the first row that fits; and one row for each limit of
 * node/api/cause.h, which says how it is raised, or what to do where it is fixed.
 */
#ifndef MESHD_CLI_KIT_ADVICE_H
#define MESHD_CLI_KIT_ADVICE_H

#include <stddef.h>

#include "node/api/rpc/control_proto.h"

enum advice_op {                /* what was wanted */
                 ADVICE_SEND,   /* files are sent */
                 ADVICE_RECV,   /* files come */
                 ADVICE_NUMBER, /* something is done to a transfer, named by its number */
                 ADVICE_MESSAGE,
                 ADVICE_TICKET,  /* one is made */
                 ADVICE_ADD,     /* one is used */
                 ADVICE_CONTACT, /* contacts are looked at, renamed, removed */
                 ADVICE_PEER,    /* somebody is to be reached */
                 ADVICE_OTHER,
                 ADVICE_OPS
};

enum { ADVICE_SAY_MAX = 1024 };

/* What a method of the control API is for. A transfer's end is ADVICE_SEND or ADVICE_RECV. */
enum advice_op advice_op(const char *method);
/* NULL: the sentence says it all. */
const char *advice(enum advice_op op, int err, const struct cause *c, const char *detail);
/* The whole of it, in one line: what is wrong, what it is about, what to do. */
void advice_say(char out[static ADVICE_SAY_MAX], enum advice_op op, const struct failure *f);
/* Reads an error map of the daemon's. The strings live in `text` and `detail`. */
struct failure advice_failure(const msgpack_object *error, char text[static ADVICE_SAY_MAX / 2],
                              char detail[static 256]);

#endif
