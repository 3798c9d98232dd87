/* link_base.h: what the files that keep sessions with relays share (relay_links.h). */
#ifndef MESHD_NODE_MESH_LINK_BASE_H
#define MESHD_NODE_MESH_LINK_BASE_H

#include "node/base/resolve.h"
#include "node/mesh/relay_book.h"
#include "node/people/contact.h"

enum {
    LINK_FIRST_US = 2 * 1000000,   /* after a failure; then twice as long each time, give or take */
    LINK_MAX_US = 300 * 1000000,   /* a quarter, up to this */
    LINK_WRONG_US = 60 * 1000000,  /* another key: asked again so slowly at first */
    LINK_LOOKUP_US = 60 * 1000000, /* a name is looked up for so long at most */
    LINK_UNUSED_US = 60 * 1000000, /* a session that nobody needs any more ends after that */
    LINK_DENIED_US = 60 * 1000000, /* who refused a reservation is asked again; doubled each time */
    LINK_RESERVE_S = 3600,
    LINK_STEADY_US =
        60 * 1000000,    /* a session that ends sooner is a lapse: the first is dialled at */
    LINK_LAPSES_MAX = 8, /* once, then after LINK_FIRST_US, doubled each time */
    LINK_NEWS_BURST = 6,
    LINK_NEWS_US = 10 * 1000000,
    LINK_ECHO_FIRST_US = 5 * 1000000, /* so much before the endpoint's keepalive */
    LINK_ECHOES = 4,                  /* unanswered: it is dead, so 1.6 s after the first one, */
    LINK_ECHO_US = 400 * 1000,        /* or four round trips */
    /* Most of what a session that is kept costs is new keys. So with less than this left of the old
     * ones new ones begin with the next echo, */
    LINK_KEYS_US = 2 * 1000000,
    LINK_APART_US = 60 * 1000000, /* and two homes' so far apart, where the pause allows it */
};

struct links { /* zeroes but for the first seven */
    struct turn *turn;
    struct peerings *peers;
    struct keep *keep;
    struct resolves *resolves;
    struct contacts *contacts;
    struct relay_book book;
    uint64_t choose_us;  /* homes are chosen then; 0: not planned */
    uint64_t measure_us; /* those that nobody needs are measured then; 0: not planned */
    unsigned named;      /* by the user */
    bool started;
    bool homes_changed; /* since somebody has asked */
};

/* A home, or a way leads through it. */
static inline bool link_needed(const struct relay *r) {
    return r->home || r->users > 0;
}
/* An event about a relay; LINK_NEWS_BURST at once, then one in LINK_NEWS_US: not told beyond. */
void link_tell(const struct links *links, struct relay *r, enum relay_news news);
/* Give or take a quarter. */
uint64_t link_about_us(const struct links *links, uint64_t us);
/* It failed: tried again later, ever later. Homes may have to be chosen anew. */
void link_failed(struct links *links, struct relay *r, enum relay_state to, const char *why);

#endif
