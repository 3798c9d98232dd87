/* Two endpoints in the hands of the dice, and what must hold of them after every step. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

struct hostile_counts hostile_counts;

#define MUST(x)                                                                                    \
    do {                                                                                           \
        if (!(x)) {                                                                                \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #x);                 \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

/* ---- dice ---- */

static uint64_t next(uint64_t *state) { /* xorshift64* */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(2685821657736338717);
}

uint64_t dice_bits(struct dice *d, unsigned bytes) {
    uint64_t v = 0;
    if (!d->at)
        return next(&d->state) >> (64 - 8 * bytes);
    for (unsigned i = 0; i < bytes && d->at < d->end; i++)
        v = v << 8 | *d->at++;
    return v;
}

uint64_t dice_below(struct dice *d, uint64_t n) {
    return dice_bits(d, n <= 256 ? 1 : n <= 65536 ? 2 : 7) % n;
}

bool dice_one_in(struct dice *d, unsigned n) {
    return dice_below(d, n) == 0;
}

bool dice_slip(struct dice *d, unsigned n) {
    return dice_one_in(d, n * d->tame);
}

bool dice_over(const struct dice *d) {
    return d->at && d->at >= d->end;
}

uint64_t dice_varint(struct dice *d) {
    switch (dice_below(d, 4)) {
    case 0:
        return dice_below(d, 8);
    case 1:
        return dice_bits(d, 2);
    case 2: {
        const uint64_t near = (UINT64_C(1) << dice_below(d, 63)) + dice_below(d, 5);
        return near < 2 ? 0 : (near - 2) & VARINT_MAX;
    }
    default:
        return dice_bits(d, 8) & VARINT_MAX;
    }
}

/* ---- the world ---- */

static void fill(void *ctx, void *buf, size_t len) {
    uint64_t *state = ctx;
    uint8_t *b = buf;
    for (size_t i = 0; i < len; i++)
        b[i] = (uint8_t)(next(state) >> 32);
}

struct addr hostile_place(struct hostile_world *w, int side) {
    if (!dice_one_in(w->dice, 12))
        return w->side[side].addr;
    const uint8_t n = (uint8_t)dice_below(w->dice, HOSTILE_PLACES);
    return (struct addr){.kind = ADDR_IPV4, .port = 7, .ip = {203, 0, 113, n}};
}

void hostile_know(struct hostile_world *w, int side, bool pairing) {
    struct side *s = &w->side[side], *o = &w->side[!side];
    struct peer_setup set = {.id = o->ep->identity.id,
                             .transport = o->ep->identity.transport_public,
                             .addrs = {o->addr},
                             .addr_count = 1,
                             .pairing = pairing};
    if (w->psk_count > 1) {
        set.psks[0] = w->psks[1];
        set.psk_count = 1;
    }
    MUST(endpoint_peer_add(s->ep, &set, &s->peer) == 0);
}

/* What the two have in common: nothing, a secret, or a ticket that the first has been given. */
void hostile_begin(struct hostile_world *w, struct dice *d) {
    static const uint16_t mtus[] = {1500, 9000, 0}; /* more than the wire carries, too */
    static struct identity ids[2];                  /* the same in all worlds */
    memset(w, 0, sizeof *w);
    w->dice = d;
    d->tame = dice_one_in(d, 2) ? 1 : 50;
    w->now_us = 1000000;
    w->fill_state = 1;
    w->rng = (struct rng){fill, &w->fill_state};
    for (int i = 0; i < 2; i++)
        identity_generate(&ids[i], &w->rng);
    w->fill_state = (dice_bits(d, 4) << 8 | 1) * UINT64_C(0x9e3779b97f4a7c15) | 1;
    const unsigned common = (unsigned)dice_below(d, 4);
    const bool small_pool = dice_one_in(d, 3), short_keys = dice_one_in(d, 3);
    w->prompt = dice_one_in(d, 2);
    w->sockets = dice_one_in(d, 2);
    MUST((w->aead = aead_new(AEAD_LIBSODIUM)));
    w->psk_count = 1;
    if (common > 1)
        rng_fill(&w->rng, &w->psks[w->psk_count++], sizeof(struct psk));
    for (int i = 0; i < 2; i++) {
        struct endpoint_config cfg = {.identity = &ids[i],
                                      .rng = w->rng,
                                      .provider = AEAD_LIBSODIUM,
                                      .cc = (enum cc_kind)dice_below(d, 3),
                                      .mtu_max_bytes = mtus[dice_below(d, 3)],
                                      .blocks_max = small_pool ? 16 : 0,
                                      .wall_us = UINT64_C(1790000000000000),
                                      .rekey_us = short_keys ? 2000000 : 0};
        w->side[i].addr =
            (struct addr){.kind = ADDR_IPV4, .port = 5, .ip = {192, 0, 2, (uint8_t)(1 + i)}};
        MUST((w->side[i].ep = endpoint_new(&cfg, w->now_us)));
    }
    hostile_know(w, 0, common == 3);
    if (common == 3)
        MUST(endpoint_ticket_open(w->side[1].ep, &w->psks[1], TIME_NEVER) == 0);
    else
        hostile_know(w, 1, false);
}

struct session *hostile_session(struct hostile_world *w, int side) {
    struct session_ref r;
    const struct side *s = &w->side[side];
    return endpoint_session(s->ep, s->peer, &r) ? endpoint_find(s->ep, r) : NULL;
}

/* ---- what must hold ---- */

static struct session_ref *find_live(struct side *s, struct session_ref r) {
    for (unsigned i = 0; i < s->live_count; i++)
        if (s->live[i].index == r.index && s->live[i].serial == r.serial)
            return &s->live[i];
    return NULL;
}

/* Nothing is told about a session before it is up or after it has ended. */
static void check_event(struct side *s, const struct ep_event *e) {
    struct session_ref *r = find_live(s, e->session);
    if (e->kind == EP_SESSION_UP) {
        MUST(!r && s->live_count < HOSTILE_LIVE);
        s->live[s->live_count++] = e->session;
        s->stream_next = 0;
    } else if (e->kind == EP_SESSION_DOWN) {
        MUST(r);
        *r = s->live[--s->live_count];
    } else if (e->session.serial > 0) {
        MUST(r);
    }
}

static void note_event(struct hostile_world *w, int side, const struct ep_event *e) {
    struct side *s = &w->side[side];
    check_event(s, e);
    if (e->kind == EP_PAIRED) { /* the forger is told everything */
        w->psks[w->psk_count < HOSTILE_PSKS ? w->psk_count++ : HOSTILE_PSKS - 1] = e->secret;
        if (side == 1 &&
            peers_by_ref(&s->ep->peers, e->peer)) /* it may have been forgotten since */
            s->peer = e->peer;
    }
    for (unsigned i = 0; e->kind == EP_SESSION_UP && i < HOSTILE_STREAMS; i++)
        s->streams[i] = UINT64_MAX;
    if (e->kind == EP_SESSION_DOWN && e->err == ERR_PROTO)
        hostile_counts.errors[side]++;
    const struct session *other = hostile_session(w, !side);
    /* Used only if the honest side knows it as well: it need not tell a forged one from a fault. */
    if (e->kind == EP_STREAM_OPENED && other && other->memo.local_opened > e->stream >> 1)
        s->streams[s->stream_next++ % HOSTILE_STREAMS] = e->stream;
    if ((e->kind == EP_DATAGRAM || e->kind == EP_RECORD) && e->len > 0)
        MUST(e->data);
    if (e->kind != EP_STREAM_READABLE || dice_one_in(w->dice, 4))
        return; /* an unread stream fills up */
    struct span v[4];
    bool fin;
    size_t ready = 0;
    for (unsigned n = stream_peek(s->ep, e->session, e->stream, 0, v, 4, &fin); n-- > 0;)
        ready += v[n].len;
    if (ready > 0)
        stream_consume(s->ep, w->now_us, e->session, e->stream,
                       dice_one_in(w->dice, 2) ? ready : (size_t)dice_below(w->dice, ready) + 1);
}

static void note_datagram(struct hostile_world *w, int from, const struct train *t, uint8_t *data,
                          size_t len) {
    struct side *s = &w->side[from];
    MUST(len > 0);
    if (len == INITIATION_BYTES && data[0] == PACKET_INITIATION) {
        memcpy(s->initiation, data, len);
        s->has_initiation = s->fresh_initiation = true;
    }
    if (len == RESPONSE_BYTES && data[0] == PACKET_RESPONSE)
        forge_heard(w, from, data);
    const bool astray = !hop_is_to(&t->to, &w->side[!from].addr);
    if (len <= sizeof w->wire[0].data && (!astray || dice_one_in(w->dice, 2))) {
        struct datagram *g = hostile_send(w, !from, &s->addr, data, len);
        if (g)
            g->ecn = t->ecn;
    }
}

static void pull_side(struct hostile_world *w, int side) {
    static uint8_t buf[TRAIN_MAX_BYTES];
    struct side *s = &w->side[side];
    struct ep_event e;
    struct train t = {.buf = buf};
    if (w->sockets && dice_one_in(w->dice, 2))
        t.full = (uint32_t)dice_below(w->dice, 8); /* what is for these waits */
    while (endpoint_poll(s->ep, &e))
        note_event(w, side, &e);
    for (unsigned n = 0; endpoint_output(s->ep, w->now_us, &t); n++) {
        MUST(n < 100000 && t.len <= TRAIN_MAX_BYTES && t.segment_bytes > 0);
        MUST(!train_is_unwanted(&t, &t.to));
        for (size_t at = 0; at < t.len; at += t.segment_bytes) {
            const size_t left = t.len - at;
            note_datagram(w, side, &t, buf + at, left < t.segment_bytes ? left : t.segment_bytes);
        }
    }
    while (endpoint_poll(s->ep, &e))
        note_event(w, side, &e);
    MUST(endpoint_session_count(s->ep) == s->live_count);
}

void hostile_pull(struct hostile_world *w) {
    for (int i = 0; i < 2; i++)
        pull_side(w, i);
}

/* ---- the wire and the clock ---- */

struct datagram *hostile_send(struct hostile_world *w, int to, const struct addr *from,
                              const uint8_t *data, size_t len) {
    if (w->wire_count == HOSTILE_WIRE)
        return NULL;
    struct datagram *g = &w->wire[(w->wire_first + w->wire_count++) % HOSTILE_WIRE];
    g->to = to;
    g->from = *from;
    g->ecn = ECN_NOT_ECT;
    g->len = len;
    memcpy(g->data, data, len);
    return g;
}

/* A copy of exactly its size: a read beyond it is seen. */
bool hostile_input(struct hostile_world *w, int to, const struct addr *from, uint8_t ecn,
                   uint8_t *data, size_t len) {
    struct side *s = &w->side[to];
    uint8_t *copy = malloc(len ? len : 1);
    MUST(copy);
    memcpy(copy, data, len);
    const uint64_t before = endpoint_counters(s->ep)->data_accepted;
    const struct hop hop = hop_udp(from, w->sockets ? (uint32_t)dice_below(w->dice, 3) : 0);
    endpoint_input(s->ep, w->now_us, &hop, ecn, copy, len);
    const bool opened = endpoint_counters(s->ep)->data_accepted > before;
    free(copy);
    if (w->prompt || dice_one_in(w->dice, 8)) /* or more comes before anybody hears of it */
        hostile_pull(w);
    return opened;
}

void hostile_deliver(struct hostile_world *w) {
    if (w->wire_count == 0)
        return;
    struct datagram g = w->wire[w->wire_first];
    w->wire_first = (w->wire_first + 1) % HOSTILE_WIRE;
    w->wire_count--;
    (void)hostile_input(w, g.to, &g.from, g.ecn, g.data, g.len);
}

static uint64_t next_deadline(const struct hostile_world *w) {
    const uint64_t a = endpoint_deadline_us(w->side[0].ep), b = endpoint_deadline_us(w->side[1].ep);
    return a < b ? a : b;
}

/* A deadline that has come is dealt with, and is not there again: else the loop would spin. */
static void timeouts(struct hostile_world *w) {
    for (int i = 0; i < 2; i++) {
        struct endpoint *e = w->side[i].ep;
        for (unsigned n = 0; endpoint_deadline_us(e) <= w->now_us; n++) {
            MUST(n < 3);
            endpoint_timeout(e, w->now_us);
            hostile_pull(w);
        }
    }
}

void hostile_advance(struct hostile_world *w, uint64_t us, bool deliver) {
    const uint64_t end_us = w->now_us + us;
    for (uint64_t n = 0;; n++) {
        MUST(n < 100000 + us / 100); /* a storm of timers */
        hostile_pull(w);
        timeouts(w);
        for (unsigned k = 0; deliver && k < HOSTILE_WIRE && w->wire_count > 0; k++)
            hostile_deliver(w);
        timeouts(w);
        uint64_t to_us = next_deadline(w);
        if (to_us >= end_us)
            break;
        if (deliver && w->wire_count > 0)
            to_us = w->now_us + 1;
        MUST(to_us > w->now_us);
        w->now_us = to_us;
    }
    w->now_us = end_us;
    timeouts(w);
}

void hostile_end(struct hostile_world *w) {
    w->sockets = false;
    hostile_pull(w); /* who has paired may not be known yet */
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        if (s->peer.generation > 0)
            endpoint_peer_remove(s->ep, w->now_us, s->peer);
        endpoint_ticket_close(s->ep, &w->psks[1]);
    }
    w->wire_count = 0;
    hostile_advance(w, 2 * (uint64_t)HALF_OPEN_US, false);
    for (int i = 0; i < 2; i++) {
        struct side *s = &w->side[i];
        MUST(s->live_count == 0 && endpoint_session_count(s->ep) == 0);
        MUST(endpoint_half_open_count(s->ep) == 0);
        MUST(block_pool_in_use(endpoint_blocks(s->ep)) == 0);
        MUST(s->ep->peers.used == 0);
        MUST(endpoint_deadline_us(s->ep) == TIME_NEVER);
        MUST(!s->ep->sessions.ready.first && s->ep->sessions.parked_at == 0);
        endpoint_free(s->ep);
    }
    aead_free(w->aead);
}
