/* support_desk.h: methods of one group are called without the control API around them: a
 * connection, the waits, the group's state, and a node that is not there (support_fake_node.h).
 */
#ifndef MESHD_TESTS_SUPPORT_DESK_H
#define MESHD_TESTS_SUPPORT_DESK_H

#include "node/control/call/control_group.h"
#include "node/control/call/control_wait.h"
#include "node/control/methods/control_facts.h"
#include "support_fake_node.h"

struct desk {
    struct conns conns;
    struct waits waits;
    struct facts facts;
    struct conn *conn;
    uint64_t now_us;
    const struct group *groups[2];
    void *state;
    struct call call;        /* the last one: its error's text and detail */
    struct proto_writer ask; /* the request that is being made */
    struct proto_reader in;
    struct proto_msg heard; /* the last answer */
};

/* Without a group none can be asked. */
struct desk *desk_open(const struct group *group);
void desk_close(struct desk *d);

/* Opens a request: write its arguments, then desk_run. */
struct proto_writer *desk_ask(struct desk *d, const char *method);
/* What the method says: 0 and the answer is heard, CALL_LATER or an error. */
int desk_run(struct desk *d);
/* The next message on the connection is in `heard`. */
bool desk_hear(struct desk *d);
/* Of what was heard: a key of the result, or of the error. "" if there is none. */
const char *desk_str(struct desk *d, const char *key);
uint64_t desk_uint(const struct desk *d, const char *key);
/* Entries of a list of the result. */
unsigned desk_count(const struct desk *d, const char *key);

/* An event happens. */
void desk_event(struct desk *d, struct node_event e);
/* Later, and what is due by then has been done. */
void desk_pass(struct desk *d, uint64_t us);
/* As the event is told to a subscriber: heard then, with its keys as the result's. */
void desk_show(struct desk *d, struct node_event e, bool brief);

#endif
