/* trouble.h: what the world did to hosts, and when, so that whatever was asked meanwhile can be
 * told from what had to succeed. A trouble excuses only the kinds of work that it makes impossible,
 * only while it lasts and for as long afterwards as the protocol gives nodes to notice. Times are
 * of the run.
 */
#ifndef MESHD_SIM_MEASURE_TROUBLE_H
#define MESHD_SIM_MEASURE_TROUBLE_H

#include "sim/link/fault.h"
#include "sim/measure/demand.h"

enum trouble_kind {
    TROUBLE_DOWN,    /* its node does not run */
    TROUBLE_PAUSED,  /* suspended or stalled */
    TROUBLE_MOVED,   /* another address, or another NAT before it: a moment */
    TROUBLE_DISK,    /* full, or with read errors */
    TROUBLE_STORE,   /* it fails, or has lost what was not safe */
    TROUBLE_HOSTILE, /* what it does is not what its node wants */
    TROUBLE_LINE,    /* a link that loses or delays more than the protocol promises to stand */
    TROUBLE_WIPED,   /* nothing is left of it, for good */
    TROUBLE_POLICY,  /* other ways are allowed from now on, so that its sessions end: a moment */
    TROUBLE_CUT,     /* between two: a cut or a clog */
    TROUBLES,
};

struct trouble {
    enum trouble_kind kind;
    uint32_t host;
    uint64_t from_ns, until_ns; /* until UINT64_MAX: it lasts */
};

struct troubles { /* all zeroes is none */
    struct trouble *list;
    uint32_t count, cap;
    struct faults cuts;
};

void troubles_clear(struct troubles *t);
/* Begins, unless it lasts already. */
void trouble_begin(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns);
void trouble_end(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns);
/* A moment. */
void trouble_moment(struct troubles *t, enum trouble_kind kind, uint32_t host, uint64_t now_ns);
/* Why the item, which has ended now without success, could not be done; NULL: it had to be. */
const char *trouble_excuse(const struct troubles *t, const struct demand_item *item,
                           uint64_t now_ns);
/* Whether anything was wrong with a host, or lay between two, since then. */
bool trouble_was(const struct troubles *t, uint32_t host, uint64_t since_ns);
bool trouble_cut(const struct troubles *t, uint32_t a, uint32_t b, uint64_t since_ns);
/* The same for one that is still undone when the run ends. */
const char *trouble_excuse_undone(const struct troubles *t, const struct demand_item *item,
                                  uint64_t now_ns);

#endif
