/* support_outage.h: a session over a path that fails for a while, and what came of it. */
#ifndef MESHD_TESTS_SUPPORT_OUTAGE_H
#define MESHD_TESTS_SUPPORT_OUTAGE_H

#include "support_pair.h"

enum { MS = 1000, S = 1000000, OUTAGE_US = 12 * S };

struct run { /* the pair's `user` */
    uint64_t rekey_us;
    unsigned writers;     /* bit i: side i writes, 5 times a second */
    uint64_t write_from;  /* all times from when the session is up */
    uint64_t cut_from_us; /* the outage */
    unsigned dead;        /* bit i: nothing from side i arrives */
    /* what came of it */
    uint64_t up_us, written[2], got[2];
    unsigned downs;
};

/* A tap: the outage. */
bool cut(struct pair *p, int from, uint8_t *data, size_t len);
/* A pair's on_event: what comes is read and counted. */
void read_all(struct pair *p, int side, const struct ep_event *e);
/* A tap: neither side begins a handshake. */
bool no_initiation(struct pair *p, int from, uint8_t *data, size_t len);

#endif
