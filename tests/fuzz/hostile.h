/* hostile.h: two live endpoints with sessions, streams and handshakes under way, and somebody
 * between them who has the keys of both. What this one sends each of them is authentic: DATA
 * packets sealed with the keys of the session that is up, or of one it has made itself, and
 * handshake messages with real Noise and right macs. Everything follows from the dice.
 *
 *   hostile_world.c  the two endpoints, the wire between them, their clock, and what must hold at
 *                    all times
 *   hostile_forge.c  what is forged: frames and handshakes
 *   fuzz_hostile.c   what happens when, by the dice
 */
#ifndef MESHD_TESTS_FUZZ_HOSTILE_H
#define MESHD_TESTS_FUZZ_HOSTILE_H

#include "net/endpoint_int.h"

enum {
    HOSTILE_WIRE = 256, /* datagrams under way */
    HOSTILE_LIVE = 8,   /* sessions of one side that are up at once: more than a peer has */
    HOSTILE_STREAMS = 32,
    HOSTILE_KEYS = 6,
    HOSTILE_ASKED = 4,
    HOSTILE_PLACES = 4, /* addresses that are neither side's */
    HOSTILE_PSKS = 6,
};

/* Bytes of a fuzzer until there are none left; or, without any, as many as are wanted from a
 * seed. */
struct dice {
    const uint8_t *at, *end;
    uint64_t state;
    unsigned tame; /* how much rarer the broken rules are, so that some sessions live long */
};
uint64_t dice_bits(struct dice *d, unsigned bytes);
uint64_t dice_below(struct dice *d, uint64_t n);
bool dice_one_in(struct dice *d, unsigned n);
bool dice_slip(struct dice *d, unsigned n); /* one in n, or rarer */
bool dice_over(const struct dice *d);
/* Small, close to a power of two, or anything; below 2^62. */
uint64_t dice_varint(struct dice *d);

struct datagram {
    int to;
    struct addr from;
    uint8_t ecn;
    size_t len;
    uint8_t data[2048];
};

struct forged_keys { /* of a session that was forged; send is towards the side that has them here */
    bool used;
    struct keygen g;
    uint32_t index; /* the receiver's */
};

struct asked { /* a forged INITIATION whose answer is read if it comes */
    bool used;
    struct noise n;
    uint32_t sender;
    struct psk psk;
};

struct side {
    struct endpoint *ep;
    struct peer_ref peer; /* the other side, as it knows it */
    struct addr addr;
    struct session_ref live[HOSTILE_LIVE]; /* told up, and not down since */
    unsigned live_count;
    uint64_t streams[HOSTILE_STREAMS]; /* that it uses; UINT64_MAX: none */
    unsigned stream_next;
    uint8_t initiation[INITIATION_BYTES]; /* its latest */
    bool has_initiation, fresh_initiation;
    struct forged_keys keys[HOSTILE_KEYS];
    struct asked asked[HOSTILE_ASKED];
    unsigned keys_next, asked_next;
    uint64_t counter; /* the highest that was forged towards it */
};

struct hostile_world {
    struct dice *dice;
    struct rng rng;
    uint64_t now_us, fill_state;
    bool prompt;  /* each packet is heard before the next one comes */
    bool sockets; /* there are three at each side, and now and then some are full */
    struct side side[2];
    struct aead *aead;
    struct psk psks[HOSTILE_PSKS]; /* known to the forger; [0] is none */
    unsigned psk_count;
    struct datagram wire[HOSTILE_WIRE];
    unsigned wire_first, wire_count;
};

struct hostile_counts { /* of all worlds */
    uint64_t data[2], initiations[2], responses[2], retries[2],
        refusals[2]; /* forged, towards side i */
    uint64_t
        authentic[2]; /* DATA that side i has opened, and forged messages whose Noise is right */
    uint64_t accepted[2], errors[2]; /* forged handshakes that gave keys; CLOSEs for broken rules */
};
extern struct hostile_counts hostile_counts;

/* ---- hostile_world.c ---- */
void hostile_begin(struct hostile_world *w, struct dice *d);
/* `side` knows the other with the secret they have in common, if any; pairing: it is a ticket's. */
void hostile_know(struct hostile_world *w, int side, bool pairing);
/* Ends every session and waits: nothing may be left. */
void hostile_end(struct hostile_world *w);
/* Takes what waits in both endpoints, and checks both. */
void hostile_pull(struct hostile_world *w);
void hostile_advance(struct hostile_world *w, uint64_t us, bool deliver);
/* The datagram that has been under way longest arrives, if there is one. */
void hostile_deliver(struct hostile_world *w);
struct datagram *hostile_send(struct hostile_world *w, int to, const struct addr *from,
                              const uint8_t *data, size_t len); /* NULL: the wire is full */
/* The session that is up between both, as `side` holds it, or NULL. */
struct session *hostile_session(struct hostile_world *w, int side);
struct addr hostile_place(struct hostile_world *w, int side);
/* True: it was a DATA packet, and has been opened. */
bool hostile_input(struct hostile_world *w, int to, const struct addr *from, uint8_t ecn,
                   uint8_t *data, size_t len);

/* ---- hostile_forge.c ---- */
void forge_data(struct hostile_world *w, int to);
void forge_mutant(struct hostile_world *w); /* of a DATA packet under way */
void forge_asks(struct hostile_world *w, int to);
void forge_answers(struct hostile_world *w, int to);
void forge_retry(struct hostile_world *w, int to);
/* A RESPONSE for a forged INITIATION: its keys are kept. */
void forge_heard(struct hostile_world *w, int from, const uint8_t *msg);

#endif
