/* support_trio.h: up to five endpoints, of which some are relays, joined by links with delay and
 * loss, under one virtual clock. Who can reach whom by address is a matrix. Everything follows from
 * the seed.
 */
#ifndef MESHD_TESTS_SUPPORT_TRIO_H
#define MESHD_TESTS_SUPPORT_TRIO_H

#include <stdbool.h>

#include "net/endpoint_int.h"
#include "support_at.h"

enum { TRIO_MAX = 5, TRIO_FLIGHTS = 32768, TRIO_EVENTS = 1024 };

/* What the nodes are in most tests. */
enum { A, R, B, R2, X };

struct trio_flight {
    uint64_t at_us, order;
    unsigned to;
    struct addr from;
    size_t len;
    uint8_t *data;
};

struct trio {
    uint64_t seed, now_us, order;
    struct rng rng;
    unsigned count;
    struct identity id[TRIO_MAX];
    struct endpoint *ep[TRIO_MAX];
    struct addr addr[TRIO_MAX];
    struct peer_ref peer[TRIO_MAX][TRIO_MAX]; /* [i][k]: k, as i knows it */
    bool dead[TRIO_MAX];                      /* hears and says nothing */
    bool cut[TRIO_MAX][TRIO_MAX];             /* nothing from i reaches k's address */
    uint64_t delay_us;
    unsigned loss_permille;
    size_t mtu; /* larger datagrams vanish; 0: none do */
    uint32_t full[TRIO_MAX];
    uint64_t moves_us; /* then A has another address; 0: it has not */
    /* Sees each datagram as it leaves, also one that is lost; false: it is. `to` TRIO_MAX: to an
     * address where nobody is. */
    bool (*tap)(struct trio *t, unsigned from, unsigned to, uint8_t *data, size_t len);
    void *ctx;
    struct trio_flight flights[TRIO_FLIGHTS];
    unsigned in_flight;
    struct ep_event events[TRIO_MAX][TRIO_EVENTS]; /* all but readiness */
    unsigned event_count[TRIO_MAX];
    uint64_t sent_bytes[TRIO_MAX], sent_pkts[TRIO_MAX];
};

struct trio *trio_new(const char *name, uint64_t number, unsigned count);
void trio_free(struct trio *t);
uint64_t trio_draw(struct trio *t);
/* One node begins anew, with the same identity, and knows nobody. */
void trio_restart(struct trio *t, unsigned i);
/* i knows k: with its address or without, by a secret (NULL: none) of a ticket or not. */
void trio_know(struct trio *t, unsigned i, unsigned k, bool with_addr, const struct psk *psk,
               bool ticket, enum path_policy policy);
void trio_serve(struct trio *t, unsigned i);
/* Runs for so long, or until this node tells this (kind < 0: only the time counts). */
bool trio_run(struct trio *t, uint64_t us, unsigned node, int kind);
/* The last event of this kind; NULL: there is none. */
const struct ep_event *trio_event(const struct trio *t, unsigned node, int kind);
/* The same; fails without. */
struct ep_event trio_told(const struct trio *t, unsigned node, int kind);
unsigned trio_count(const struct trio *t, unsigned node, int kind);
/* A datagram from anywhere. */
void trio_inject(struct trio *t, unsigned to, const struct addr *from, const void *data,
                 size_t len);
/* The session of i with k; fails without. */
struct session *trio_session(const struct trio *t, unsigned i, unsigned k);
bool trio_has_session(const struct trio *t, unsigned i, unsigned k);
/* Node i uses relay r as a guest: a session, kept, and a reservation. */
void trio_use_relay(struct trio *t, unsigned i, unsigned r);
/* A flow from i to k through r, which k accepts; each adds it as the other's place. */
void trio_flow(struct trio *t, unsigned i, unsigned r, unsigned k);
/* i connects to k: fails unless both have a session within 9 s. */
void trio_connect(struct trio *t, unsigned i, unsigned k);
/* A and B, who cannot reach each other from now on, are guests of R; and contacts with a session
 * through it. */
void trio_behind_relay(struct trio *t);
void trio_talk_by_relay(struct trio *t);
/* So many bytes from i to k by a stream, compared one by one; fails if that takes longer. */
void trio_transfer(struct trio *t, unsigned i, unsigned k, size_t bytes, uint64_t us);

#endif
