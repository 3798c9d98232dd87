/* support_pair.h: two endpoints joined by a virtual link with delay, loss, duplication, reordering
 * and corruption, under one virtual clock. Everything follows from the seed.
 */
#ifndef MESHD_TESTS_SUPPORT_PAIR_H
#define MESHD_TESTS_SUPPORT_PAIR_H

#include <stdbool.h>

#include "net/endpoint.h"
#include "support_at.h"

enum { PAIR_QUEUE = 16384, PAIR_EVENTS = 4096, PAIR_DROP = 255 };

struct flight {
    uint64_t at_us, order;
    int to; /* 0 or 1 */
    struct addr from;
    size_t len;
    uint8_t ecn;
    uint8_t *data;
};

struct pair {
    uint64_t seed, now_us, order;
    struct rng rng;
    struct identity id[2];
    struct endpoint *ep[2];
    struct peer_ref peer[2]; /* peer[i]: the other one, as ep[i] knows it */
    struct addr addr[2];
    uint32_t local[2]; /* by which socket of theirs the datagrams come in */
    uint64_t delay_us, jitter_us;
    unsigned loss_permille, dup_permille, corrupt_permille;
    size_t mtu; /* larger datagrams vanish; 0: none do */
    bool cut;   /* nothing passes */
    /* Sees every datagram before it leaves; may change it; false drops it. */
    bool (*tap)(struct pair *p, int from, uint8_t *data, size_t len);
    void *tap_ctx;
    /* Sees every train before its datagrams reach the tap; false: nobody is at its address. NULL:
     * all of them reach the other side. */
    bool (*route)(struct pair *p, int from, const struct train *t);
    /* What the path makes of the ECN field; PAIR_DROP: the datagram is lost. NULL: nothing. */
    uint8_t (*field)(struct pair *p, int from, uint8_t ecn);
    struct flight queue[PAIR_QUEUE];
    unsigned in_flight;
    struct ep_event events[2][PAIR_EVENTS]; /* all that were polled, but readiness */
    unsigned event_count[2];
    uint64_t sent_bytes[2];
    /* Called for every event. */
    void (*on_event)(struct pair *p, int side, const struct ep_event *e);
    void *user;
};

struct pair *pair_new(uint64_t seed);
void pair_free(struct pair *p);
uint64_t pair_draw(struct pair *p);
/* Makes the endpoints; cfg may be changed before by `tweak`. */
void pair_start(struct pair *p, uint64_t rekey_us);
void pair_restart(struct pair *p, int side); /* a fresh endpoint with the same identity */
/* Side `side` knows the other with this psk (NULL: none); pairing as in peer_setup. */
void pair_know(struct pair *p, int side, const struct psk *psk, bool pairing);
/* A datagram from anywhere. */
void pair_inject(struct pair *p, int to, const struct addr *from, const uint8_t *data, size_t len);
/* Runs until `us` have passed or the event occurred at side (kind < 0: time only). */
bool pair_run(struct pair *p, uint64_t us, int side, int kind);
const struct ep_event *pair_event(const struct pair *p, int side,
                                  int kind); /* the latest, or NULL */
unsigned pair_count(const struct pair *p, int side, int kind);
/* Two that have begun and know each other without a secret. */
struct pair *pair_known(uint64_t seed, uint64_t rekey_us);
/* A session between both, or a failed test. */
void pair_connect(struct pair *p, struct session_ref s[2]);

#endif
