/* What the holder of both sides' keys sends: frames of every kind, right and wrong, in true
 * packets.
 */
#include <stdlib.h>
#include <string.h>

#include "hostile.h"
#include "net/wire/frame.h"
#include "tests/unit/net/support_forge.h"

/* ---- frames ---- */

enum { PLAIN_MAX = 1100 };

struct scene {        /* what the forger knows of the session it writes for */
    uint64_t packets; /* sent by the victim so far */
    unsigned parity;  /* of the streams that the forger opens */
    const struct side *victim;
};

static uint64_t some_stream(struct dice *d, const struct scene *s) {
    if (dice_slip(d, 200))
        return dice_varint(d);
    const uint64_t used = s->victim->streams[dice_below(d, HOSTILE_STREAMS)];
    if (used != UINT64_MAX && dice_one_in(d, 8))
        return used;
    /* Mostly not those that the honest side uses itself: it would soon contradict. */
    return (dice_slip(d, 100) ? dice_below(d, 24) : 40 + dice_below(d, 24)) * 2 + s->parity;
}

static uint64_t mostly(struct dice *d, uint64_t below) {
    return dice_slip(d, 250) ? dice_varint(d) : dice_below(d, below);
}

static void put_ack(struct dice *d, struct wr *w, const struct scene *s) {
    const bool ecn = dice_one_in(d, 3);
    const uint64_t newest = s->packets > 0 ? s->packets - 1 : 0;
    const uint64_t back = mostly(d, 6), largest = newest > back ? newest - back : newest;
    unsigned more = largest > 30 ? (unsigned)dice_below(d, 4) : 0;
    wr_u8(w, ecn ? FRAME_ACK_ECN : FRAME_ACK);
    wr_varint(w, dice_slip(d, 250) ? dice_varint(d) : largest);
    wr_varint(w, mostly(d, 25000));
    wr_varint(w, dice_slip(d, 200) ? dice_varint(d) : more);
    wr_varint(w, dice_below(d, largest + 1 < 4 ? largest + 1 : 4));
    while (more-- > 0) {
        wr_varint(w, mostly(d, 2));
        wr_varint(w, mostly(d, 2));
    }
    for (unsigned i = 0; ecn && i < 3; i++)
        wr_varint(w, mostly(d, 40));
}

static void put_bytes(struct dice *d, struct wr *w, size_t len) {
    const uint8_t v = (uint8_t)dice_bits(d, 1);
    uint8_t *at = wr_room(w, len);
    if (at)
        memset(at, v, len);
}

static void put_stream(struct dice *d, struct wr *w, const struct scene *s) {
    const bool fin = dice_slip(d, 150), whole = dice_one_in(d, 12), offset = !dice_one_in(d, 8);
    const size_t len = (size_t)dice_below(d, 300);
    wr_u8(w, (uint8_t)(FRAME_STREAM | (fin ? STREAM_FIN : 0) | (whole ? 0 : STREAM_LEN) |
                       (offset ? STREAM_OFF : 0)));
    wr_varint(w, some_stream(d, s));
    if (offset)
        wr_varint(w, dice_slip(d, 250) ? dice_varint(d) : dice_below(d, 100000));
    if (!whole)
        wr_varint(w, dice_slip(d, 250) ? dice_varint(d) : len);
    put_bytes(d, w, len);
}

static void put_sized(struct dice *d, struct wr *w, uint8_t type) {
    const size_t len = (size_t)dice_below(d, 60);
    wr_u8(w, type);
    wr_varint(w, dice_slip(d, 250) ? dice_varint(d) : len);
    put_bytes(d, w, len);
}

/* Any numbers, and something behind them now and then; small ones make it look at black holes. */
static void put_path_report(struct dice *d, struct wr *w) {
    uint8_t body[40];
    struct wr b = wr_init(body, sizeof body);
    for (unsigned i = 0; i < 3; i++)
        wr_varint(&b, dice_one_in(d, 2) ? dice_varint(d) : dice_below(d, 2000));
    if (dice_one_in(d, 8))
        wr_u8(&b, 7);
    wr_u8(w, FRAME_PATH_REPORT);
    wr_varint(w, wr_len(&b));
    wr_bytes(w, body, wr_len(&b));
}

static void put_fields(struct dice *d, struct wr *w, uint8_t type, uint64_t a, unsigned more) {
    wr_u8(w, type);
    wr_varint(w, a);
    while (more-- > 0)
        wr_varint(w, mostly(d, 100000));
}

static void put_frame(struct dice *d, struct wr *w, const struct scene *s) {
    static const uint8_t bare[] = {FRAME_PADDING, FRAME_PING, FRAME_CONFIRM, FRAME_CONFIRMED};
    switch (dice_below(d, 20)) {
    case 0:
    case 1:
    case 2:
    case 3:
    case 4:
        put_stream(d, w, s);
        return;
    case 5:
    case 6:
    case 7:
        if (s->packets > 0)
            put_ack(d, w, s);
        return;
    case 8:
        if (dice_slip(d, 40))
            put_fields(d, w, FRAME_RESET, some_stream(d, s), 2);
        return;
    case 9:
        if (dice_slip(d, 40))
            put_fields(d, w, FRAME_STOP, some_stream(d, s), 1);
        return;
    case 10:
        put_fields(d, w, FRAME_MAX_DATA, dice_varint(d), 0);
        return;
    case 11:
        put_fields(d, w, FRAME_MAX_STREAM_DATA, some_stream(d, s), 1);
        return;
    case 12:
        put_fields(d, w, FRAME_MAX_STREAMS, dice_varint(d), 0);
        return;
    case 13:
        wr_u8(w, dice_one_in(d, 2) ? FRAME_ECHO : FRAME_ECHOED);
        wr_u64(w, dice_bits(d, 1));
        return;
    case 14:
        put_sized(d, w, FRAME_DATAGRAM);
        return;
    case 15:
        if (dice_one_in(d, 3)) {
            put_path_report(d, w);
            return;
        }
        put_sized(d, w, (uint8_t)(FRAME_RECORD + dice_below(d, 64)));
        return;
    case 16: /* of the session, with eight bytes: PATH_CHALLENGE and PATH_RESPONSE, or what comes */
        if (dice_one_in(d, 8)) {
            wr_u8(w,
                  (uint8_t)(dice_slip(d, 8) ? 0x20 + dice_below(d, 16) : 0x24 + dice_below(d, 2)));
            wr_u64(w, dice_bits(d, 8));
        }
        return;
    case 17:
        if (dice_slip(d, 64))
            put_fields(d, w, FRAME_CLOSE, dice_varint(d), 0);
        return;
    default:
        wr_u8(w, bare[dice_below(d, sizeof bare)]);
        return;
    }
}

static size_t frames(struct dice *d, uint8_t *out, const struct scene *s) {
    struct wr w = wr_init(out, PLAIN_MAX);
    if (dice_slip(d, 250)) { /* anything */
        size_t len = (size_t)dice_below(d, 64);
        for (size_t i = 0; i < len; i++)
            wr_u8(&w, (uint8_t)dice_bits(d, 1));
        return len;
    }
    for (uint64_t n = 1 + dice_below(d, 5); n-- > 0 && w.ok;)
        put_frame(d, &w, s);
    const size_t len = wr_len(&w);
    if (len > 0 && dice_slip(d, 250))
        return len - 1;
    if (len > 0 && dice_slip(d, 250))
        out[dice_below(d, len)] ^= (uint8_t)(1 << dice_below(d, 8));
    return len;
}

/* ---- packets ---- */

static struct forged_keys *own_keys(struct hostile_world *w, int to) {
    struct side *v = &w->side[to];
    const unsigned newest = v->keys_next + HOSTILE_KEYS - 1;
    struct forged_keys *k = &v->keys[dice_one_in(w->dice, 8) ? dice_below(w->dice, HOSTILE_KEYS)
                                                             : newest % HOSTILE_KEYS];
    return k->used ? k : NULL;
}

/* What the honest side would send is still opened at the other end: no forged handshake has come
 * between. */
static bool in_step(const struct session *s, const struct session *peer) {
    const struct keygen *a = &s->keys.current, *b = &peer->keys.current, *c = &peer->keys.next;
    return s->remote_index == peer->local_index &&
           (memcmp(&a->send, &b->recv, sizeof a->send) == 0 ||
            memcmp(&a->send, &c->recv, sizeof a->send) == 0);
}

static uint64_t next_counter(struct hostile_world *w, int to, uint64_t at_least) {
    uint64_t *c = &w->side[to].counter;
    *c = (*c > at_least ? *c : at_least) + 1;
    if (dice_one_in(w->dice, 5000))
        return dice_bits(w->dice, 8);
    if (dice_one_in(w->dice, 50))
        *c += dice_below(w->dice, 9000);
    return dice_one_in(w->dice, 50) && *c > 20 ? *c - dice_below(w->dice, 20) : *c;
}

void forge_data(struct hostile_world *w, int to) {
    uint8_t buf[DATA_OVERHEAD_BYTES + PLAIN_MAX];
    struct session *peer = hostile_session(w, to), *s = hostile_session(w, !to);
    const bool live = s && peer && in_step(s, peer);
    struct forged_keys *k = dice_one_in(w->dice, live ? 16 : 1) ? own_keys(w, to) : NULL;
    if (!k && (!s || (!live && !dice_one_in(w->dice, 8))))
        return;
    /* Forged packets of the same session may have left its counters behind. */
    if (live && peer->replay.newest > s->send_counter &&
        peer->replay.newest - s->send_counter < 100000)
        s->send_counter = peer->replay.newest;
    const struct scene scene = {.packets = peer ? peer->send_counter : 0,
                                .parity = peer && peer->initiator ? 1 : 0,
                                .victim = &w->side[to]};
    size_t len = frames(w->dice, buf + DATA_HEADER_BYTES, &scene);
    if (k) {
        struct session forged = {.keys.current = k->g, .remote_index = k->index};
        len = session_seal(&forged, w->aead, next_counter(w, to, peer ? peer->replay.newest : 0),
                           buf, len);
    } else {
        if (!keys_may_send(&s->keys, w->now_us, s->send_counter))
            return;
        len = session_seal(s, w->side[!to].ep->aead, s->send_counter++, buf, len);
        if (w->side[to].counter < s->send_counter)
            w->side[to].counter = s->send_counter;
    }
    const struct addr from = hostile_place(w, !to);
    hostile_counts.data[to]++;
    if (hostile_input(w, to, &from, (uint8_t)dice_below(w->dice, 4), buf, len))
        hostile_counts.authentic[to]++;
    else if (k && dice_one_in(w->dice, 4))
        k->used = false; /* its session has gone */
}

/* A packet of the honest side, opened with its own key, changed, and sealed again. */
void forge_mutant(struct hostile_world *w) {
    if (w->wire_count == 0)
        return;
    struct datagram *g =
        &w->wire[(w->wire_first + dice_below(w->dice, w->wire_count)) % HOSTILE_WIRE];
    struct session *s = hostile_session(w, !g->to);
    if (!s || g->data[0] != PACKET_DATA || g->len <= DATA_OVERHEAD_BYTES ||
        g->data[1] != s->keys.current.epoch)
        return;
    const struct keygen *k = &s->keys.current;
    const uint64_t counter = load_le64(g->data + 8), id = aead_key_id(w->aead);
    uint8_t *plain = g->data + DATA_HEADER_BYTES;
    size_t len = g->len - DATA_OVERHEAD_BYTES;
    if (!aead_open(w->aead, k->suite, &k->send, id, counter, g->data, DATA_HEADER_BYTES, plain,
                   len + AEAD_TAG_BYTES)) {
        g->len = 0; /* of another session: it is spoilt now */
        return;
    }
    for (uint64_t n = 1 + dice_below(w->dice, 3); n-- > 0;)
        plain[dice_below(w->dice, dice_one_in(w->dice, 2) && len > 16 ? 16 : len)] =
            (uint8_t)dice_bits(w->dice, 1);
    if (dice_one_in(w->dice, 4))
        len = (size_t)dice_below(w->dice, len);
    aead_seal(w->aead, k->suite, &k->send, id, counter, g->data, DATA_HEADER_BYTES, plain, len);
    g->len = len + DATA_OVERHEAD_BYTES;
}

/* ---- handshakes ---- */

static void keep_keys(struct hostile_world *w, int to, const struct noise *n, bool initiator,
                      unsigned suite, uint8_t epoch, uint32_t index) {
    struct side *s = &w->side[to];
    struct psk pairing;
    if (!(suite == AEAD_CHACHA20_POLY1305 || suite == AEAD_AES_256_GCM) ||
        !(aead_suites(w->aead) & suite))
        return;
    struct forged_keys *k = &s->keys[s->keys_next++ % HOSTILE_KEYS];
    handshake_keys(n, initiator, (enum aead_suite)suite, epoch, &k->g, &pairing);
    k->g.send_id = aead_key_id(w->aead);
    k->index = index;
    k->used = true;
    hostile_counts.accepted[to]++;
    if (w->psk_count < HOSTILE_PSKS)
        w->psks[w->psk_count++] = pairing;
}

static struct psk some_psk(struct hostile_world *w) {
    return w->psks[dice_one_in(w->dice, 3) ? dice_below(w->dice, w->psk_count)
                   : w->psk_count > 1      ? 1
                                           : 0];
}

void forge_asks(struct hostile_world *w, int to) {
    struct dice *d = w->dice;
    struct side *s = &w->side[to];
    const struct endpoint *as = w->side[!to].ep;
    const struct session *up = hostile_session(w, to);
    struct asked *a = &s->asked[s->asked_next++ % HOSTILE_ASKED];
    a->psk = some_psk(w);
    a->sender = dice_one_in(d, 2) && up ? up->remote_index : (uint32_t)dice_bits(d, 1);
    struct forged_initiation f = {.version = PROTOCOL_VERSION,
                                  .suites = (uint8_t)as->suites,
                                  .epoch = up ? (uint8_t)(up->keys.current.epoch + 1) : 0,
                                  .timestamp_us = UINT64_C(1790000000000000) + w->now_us,
                                  .session_id = up ? up->id : dice_bits(d, 8),
                                  .psk_id = psk_id(&a->psk),
                                  .cert = as->cert};
    for (uint64_t n = dice_below(d, 3); n-- > 0;) {
        switch (dice_below(d, 10)) {
        case 0:
            f.suites = (uint8_t)dice_bits(d, 1);
            break;
        case 1:
            f.epoch = (uint8_t)(f.epoch + dice_below(d, 3) - 1);
            break;
        case 2:
            f.flags = (uint8_t)dice_bits(d, 1);
            break;
        case 3:
            f.caps = (uint32_t)dice_bits(d, 4);
            break;
        case 4:
            f.timestamp_us = dice_bits(d, 8);
            break;
        case 5:
            f.session_id = dice_bits(d, 1);
            break;
        case 6:
            f.psk_id = dice_bits(d, 1);
            break;
        case 7:
            f.cert.seq = dice_bits(d, 8);
            break;
        case 8:
            f.version = (uint8_t)dice_bits(d, 1);
            break;
        default:
            f.challenge[0] = (uint8_t)dice_bits(d, 1);
            break;
        }
    }
    uint8_t msg[INITIATION_BYTES];
    a->used = forge_initiation(&a->n, &as->self, &w->rng, &s->ep->identity.transport_public, &f,
                               a->sender, msg);
    if (!a->used)
        abort();
    hostile_counts.initiations[to]++;
    hostile_counts.authentic[to]++;
    const struct addr from = hostile_place(w, !to);
    (void)hostile_input(w, to, &from, 0, msg, sizeof msg);
}

void forge_heard(struct hostile_world *w, int from, const uint8_t *msg) {
    struct side *s = &w->side[from];
    for (unsigned i = 0; i < HOSTILE_ASKED; i++) {
        struct asked *a = &s->asked[i];
        struct response r;
        uint32_t sender;
        if (!a->used || !handshake_response_mac1_ok(&a->n, msg) ||
            !handshake_read_response(&a->n, msg, &a->psk, &r, &sender))
            continue;
        a->used = false;
        keep_keys(w, from, &a->n, true, r.suite, r.epoch, sender);
        return;
    }
}

void forge_answers(struct hostile_world *w, int to) {
    struct dice *d = w->dice;
    struct side *s = &w->side[to];
    const struct endpoint *as = w->side[!to].ep;
    struct noise n;
    struct initiation in;
    uint32_t index;
    uint8_t msg[RESPONSE_BYTES];
    if (!s->has_initiation || !handshake_read_initiation(&n, &as->self, s->initiation, &in, &index))
        return;
    const struct session *up = hostile_session(w, to);
    const struct psk psk = some_psk(w);
    const bool rekey = up && up->id == in.session_id;
    struct forged_response f = {.version = PROTOCOL_VERSION,
                                .suites = (uint8_t)as->suites,
                                .suite = (uint8_t)aead_choose(as->suites, in.suites),
                                .epoch = rekey ? in.epoch : 0,
                                .flags = rekey,
                                .session_id = in.session_id,
                                .cert = as->cert};
    for (uint64_t k = dice_below(d, 3); k-- > 0;) {
        switch (dice_below(d, 8)) {
        case 0:
            f.suites = (uint8_t)dice_bits(d, 1);
            break;
        case 1: /* consistent or not */
            f.suite = (uint8_t)dice_below(d, 5);
            if (dice_one_in(d, 2))
                f.suites = f.suite;
            break;
        case 2:
            f.epoch = (uint8_t)dice_below(d, 4);
            break;
        case 3:
            f.flags ^= (uint32_t)dice_bits(d, 1);
            break;
        case 4:
            f.caps = (uint32_t)dice_bits(d, 4);
            break;
        case 5:
            f.session_id += dice_bits(d, 1);
            break;
        case 6:
            f.version = (uint8_t)dice_bits(d, 1);
            break;
        default:
            if (dice_one_in(d, 8))
                f.cert.id.bytes[0] ^= 1;
            f.cert.seq = dice_bits(d, 8);
            break;
        }
    }
    if (!forge_response(&n, &w->rng, &psk, &f, (uint32_t)dice_bits(d, 1), index, msg))
        abort();
    hostile_counts.responses[to]++;
    hostile_counts.authentic[to]++;
    keep_keys(w, to, &n, false, f.suite, f.epoch, index);
    const struct addr from = hostile_place(w, !to);
    (void)hostile_input(w, to, &from, 0, msg, sizeof msg);
}

/* A nonce that proves a refusal of its latest INITIATION, for a reason of now, of later, or
 * none. */
static bool proves(struct hostile_world *w, int to, uint8_t nonce[static COOKIE_NONCE_BYTES]) {
    const uint8_t *asked = w->side[to].initiation;
    struct initiation in;
    struct noise n;
    uint32_t sender;
    if (!handshake_read_initiation(&n, &w->side[!to].ep->self, asked, &in, &sender))
        return false;
    return handshake_refusal(&n, (enum refusal)dice_below(w->dice, REFUSALS_MAX + 2), asked, nonce);
}

void forge_retry(struct hostile_world *w, int to) {
    const struct side *s = &w->side[to];
    uint8_t msg[RETRY_BYTES] = {PACKET_RETRY}, values[2][COOKIE_BYTES] = {{0}};
    if (!s->has_initiation)
        return;
    memcpy(msg + 4, s->initiation + 4, 4);
    rng_fill(&w->rng, msg + 8, COOKIE_NONCE_BYTES);
    const bool refusal = dice_one_in(w->dice, 4) && proves(w, to, msg + 8);
    hostile_counts.refusals[to] += refusal;
    for (unsigned i = 0; i < 2 && !refusal; i++)
        if (dice_one_in(w->dice, 2))
            values[i][0] = (uint8_t)dice_bits(w->dice, 1);
    cookie_seal(&w->side[!to].ep->identity.transport_public, msg + 8,
                s->initiation + INITIATION_BYTES - 2 * MAC_BYTES, values[0], values[1],
                msg + 8 + COOKIE_NONCE_BYTES);
    hostile_counts.retries[to]++;
    const struct addr from = hostile_place(w, !to);
    (void)hostile_input(w, to, &from, 0, msg, sizeof msg);
}
