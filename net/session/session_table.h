/* session_table.h: the sessions of an endpoint: by slot, with which their index on the wire begins;
 * those that may have output; when each is due; how many there are of which kind.
 *
 * A session ends in two steps, so that nobody loses one under his hands. session_table_end takes it
 * out of all that finds it: from then on it is SESSION_ENDED, gets no packet and no timeout, sends
 * nothing, counts for no limit. session_table_reap gives those to who frees them, when no caller
 * can hold one any more.
 */
#ifndef MESHD_NET_SESSION_SESSION_TABLE_H
#define MESHD_NET_SESSION_SESSION_TABLE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/rng.h"
#include "net/base/event.h"
#include "net/base/list.h"
#include "net/base/timer.h"
#include "net/base/train.h"
#include "net/session/session.h"

struct session_table { /* all zeroes is empty */
    struct session **slots;
    uint32_t cap, next; /* next: where a free slot is looked for first */
    uint32_t serial;    /* the greatest that was given */
    uint32_t up;
    uint32_t half_open;
    struct timer_heap timers;              /* ids are slots */
    struct list ready;                     /* may have output */
    struct list parked[LOCAL_SOCKETS_MAX]; /* ready, too, but their socket was full */
    uint32_t parked_at;                    /* the sockets that such a list has some of */
    uint64_t looked_at;                    /* how often output came to one */
    struct list closed; /* the peer has said goodbye: they end once what it said before is heard */
    struct list ended;  /* to be reaped */
};

void session_table_clear(struct session_table *t, struct aead *a); /* frees them all */
/* A half-open one, with an index that nobody can guess and a serial of its own. NULL: no memory, or
 * SESSIONS_MAX are there. */
struct session *session_table_new(struct session_table *t, struct rng *rng,
                                  enum session_state state);
/* It is another one from now on, to all that have a reference. */
void session_table_renew(struct session_table *t, struct session *s);
/* It is up; and is half-open again. */
void session_table_raise(struct session_table *t, struct session *s);
void session_table_lower(struct session_table *t, struct session *s);

/* Whatever its state. NULL: gone. */
struct session *session_table_by_ref(const struct session_table *t, struct session_ref r);
/* The one a packet with this index is for. */
struct session *session_table_by_index(const struct session_table *t, uint32_t index);
/* All in turn, from *at = 0 on, which is moved; NULL: that was the last. */
struct session *session_table_each(const struct session_table *t, uint32_t *at);

/* It may have output, and will be asked. Not if it has ended. */
void session_table_ready(struct session_table *t, struct session *s);
void session_table_unready(struct session_table *t, struct session *s);
/* The ready one whose turn it is, and which stays so. One with a transport whose socket is full
 * (t->full) is put into that socket's list and not looked at again until the socket has room; then
 * those in it come first. NULL: there is none that may send. */
struct session *session_table_next_ready(struct session_table *t, const struct train *train);
/* False: none has output, nor waits for its socket. */
static inline bool session_table_any_ready(const struct session_table *t) {
    return t->ready.first || t->parked_at;
}
/* A ready one is put into this socket's list, as above: for who leaves by a socket that its own hop
 * does not name. */
void session_table_park(struct session_table *t, struct session *s, int socket);
/* It has sent: the others' turn. */
void session_table_turn(struct session_table *t, struct session *s);
/* ERR_NOMEM: the deadline is as it was. */
int session_table_due(struct session_table *t, struct session *s, uint64_t deadline_us) MUST_USE;
struct session *session_table_pop_due(struct session_table *t, uint64_t now_us); /* NULL: none */

void session_table_close(struct session_table *t, struct session *s, int err);
struct session *session_table_closed(const struct session_table *t); /* the first one, or NULL */
void session_table_end(struct session_table *t, struct session *s);
/* The next that has ended, to be freed by the caller; NULL: there is none. */
struct session *session_table_reap(struct session_table *t);
static inline bool session_table_any_ended(const struct session_table *t) {
    return t->ended.first != NULL;
}

#endif
