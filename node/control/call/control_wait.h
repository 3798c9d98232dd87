/* control_wait.h: requests that are answered later. Each has an entry in one bounded table; an
 * event, a deadline or the end of its connection removes it. What it waits for is its kind: a
 * constant of the group whose method asked, which nobody else needs to know.
 */
#ifndef MESHD_NODE_CONTROL_CALL_CONTROL_WAIT_H
#define MESHD_NODE_CONTROL_CALL_CONTROL_WAIT_H

#include "node/control/call/control_call.h"

struct wait;
struct waits;

struct wait_kind {
    /* Every event but of those that are dropped: answers, if it is the one. */
    void (*event)(struct waits *ws, uint64_t now_us, struct wait *w, const struct node_event *e);
    /* At its deadline. NULL: the error ERR_TIMEOUT with `late` as its sentence. */
    void (*expired)(struct waits *ws, uint64_t now_us, struct wait *w);
    const char *late;
    /* At its retry_us. */
    void (*retry)(struct waits *ws, uint64_t now_us, struct wait *w);
    /* Its connection is gone: nobody will hear the answer. NULL: nothing to undo. */
    void (*dropped)(struct waits *ws, uint64_t now_us, struct wait *w);
    /* It waits for a contact to be called so, and not for one that is. */
    bool for_name;
};

struct wait {
    const struct wait_kind *kind; /* NULL: none */
    uint32_t conn;                /* index */
    uint32_t request;
    uint64_t deadline_us;          /* UINT64_MAX: none */
    uint64_t retry_us;             /* UINT64_MAX: not to be tried again */
    char contact[PETNAME_MAX + 1]; /* whom it is about; follows when the contact is renamed */
    /* The kind's own: what it waits for, more of it, and a text (owned, wiped when the wait
     * ends). */
    uint64_t ref, extra;
    char *text;
};

struct waits {
    struct node *node;
    struct conns *conns;
    unsigned end; /* from here on none is in use: looked at every turn */
    struct wait all[CONTROL_WAITS_MAX];
};

void waits_init(struct waits *ws, struct node *n, struct conns *cs);
void waits_clear(struct waits *ws);

/* A free wait for this call, or NULL: everything is taken, which the call's error says then. */
struct wait *wait_new(struct call *call, const struct wait_kind *kind, uint64_t deadline_us);
/* Without an answer. */
void wait_forget(struct waits *ws, struct wait *w);
/* How many of this kind the connection has. */
unsigned wait_count(const struct waits *ws, const struct conn *conn, const struct wait_kind *kind);

/* ---- answers: each ends the wait ---- */
/* A map is open: write into it, then wait_close. */
struct proto_writer *wait_open(struct waits *ws, const struct wait *w);
void wait_close(struct waits *ws, uint64_t now_us, struct wait *w);
void wait_uint(struct waits *ws, uint64_t now_us, struct wait *w, const char *key);
void wait_error(struct waits *ws, uint64_t now_us, struct wait *w, int err, const char *text);
/* With what the event says of the error. */
void wait_told(struct waits *ws, uint64_t now_us, struct wait *w, const struct node_event *e);

/* ---- what happens ---- */
void waits_drop_conn(struct waits *ws, uint64_t now_us, uint32_t conn);
void waits_event(struct waits *ws, uint64_t now_us, const struct node_event *e);
uint64_t waits_deadline_us(const struct waits *ws);
void waits_timeout(struct waits *ws, uint64_t now_us);

#endif
