/* endpoint_key_ask.c: whose key has a relay: asked, and told. An answer is believed for a nonce
 * that is out and from the place that was asked; that its certificate is sound is checked here,
 * that it is the right node's is for the user to say. Who sees the question can be the first to
 * answer it: so others are heard for a while after that, too, each id once.
 */
#include <string.h>

#include "crypto/base/mem.h"
#include "net/endpoint_int.h"

struct key_ask {
    bool used, brief; /* brief: only whether somebody answers */
    uint64_t nonce;
    struct hop at[KEY_PLACES_MAX]; /* the first one is asked at once, the others 250 ms later */
    unsigned places, tries;
    struct node_id told[KEY_ASK_ANSWERS]; /* by them it is answered; not repeated any more */
    unsigned told_count;
    uint64_t next_us, interval_us;
};

struct key_asks {
    struct key_ask v[KEY_ASKS_MAX];
};

static void send(struct endpoint *e, uint64_t now_us, struct key_ask *k) {
    uint8_t nonce[KEY_NONCE_BYTES], msg[KEY_ASK_BYTES];
    store_le64(nonce, k->nonce);
    key_ask_write(nonce, msg);
    for (unsigned i = 0; i < (k->tries > 0 ? k->places : 1); i++)
        endpoint_queue_small(e, NULL, &k->at[i], msg, k->brief ? KEY_HERE_BYTES : sizeof msg);
    k->tries++;
    k->next_us = now_us + k->interval_us;
    k->interval_us *= 2;
}

/* A free place, or one that is answered; NULL: there is none. */
static struct key_ask *room(struct key_asks *asks) {
    struct key_ask *answered = NULL;
    for (unsigned i = 0; i < KEY_ASKS_MAX; i++) {
        if (!asks->v[i].used)
            return &asks->v[i];
        if (asks->v[i].told_count > 0)
            answered = &asks->v[i];
    }
    return answered;
}

static int ask(struct endpoint *e, uint64_t now_us, const struct hop *at, bool brief,
               uint64_t *nonce) {
    if (at->kind != HOP_UDP)
        return ERR_USAGE;
    if (!e->key_asks)
        e->key_asks = mem_calloc(1, sizeof *e->key_asks);
    if (!e->key_asks)
        return ERR_NOMEM;
    struct key_ask *k = room(e->key_asks);
    if (!k)
        return ERR_FULL;
    *k = (struct key_ask){.used = true,
                          .brief = brief,
                          .nonce = rng_u64(&e->rng),
                          .at = {hop_by_any_socket(at)},
                          .places = 1,
                          .interval_us = KEY_ASK_RETRY_US};
    *nonce = k->nonce;
    send(e, now_us, k);
    return 0;
}

int endpoint_key_ask(struct endpoint *e, uint64_t now_us, const struct hop *at, uint64_t *nonce) {
    return ask(e, now_us, at, false, nonce);
}

int endpoint_key_probe(struct endpoint *e, uint64_t now_us, const struct hop *at, uint64_t *nonce) {
    return ask(e, now_us, at, true, nonce);
}

void endpoint_key_also(struct endpoint *e, uint64_t nonce, const struct hop *at) {
    for (unsigned i = 0; e->key_asks && i < KEY_ASKS_MAX; i++) {
        struct key_ask *k = &e->key_asks->v[i];
        if (k->used && k->nonce == nonce && k->places < KEY_PLACES_MAX && at->kind == HOP_UDP)
            k->at[k->places++] = hop_by_any_socket(at);
    }
}

static bool was_asked(const struct key_ask *k, const struct hop *at) {
    for (unsigned i = 0; i < (k->tries > 1 ? k->places : 1); i++)
        if (hop_same_place(&k->at[i], at))
            return true;
    return false;
}

static void tell(struct endpoint *e, struct key_ask *k, const struct hop *at, int err,
                 const struct key_told *t) {
    struct ep_event ev = {.kind = EP_KEY_TOLD, .err = err, .id = k->nonce, .hop = *at};
    if (t) {
        ev.node = t->cert.id;
        ev.transport = t->transport;
        ev.cert_seq = t->cert.seq;
    }
    if (t && k->told_count == 0)
        k->next_us = e->told_us + KEY_ASK_LATE_US;
    if (t)
        k->told[k->told_count++] = t->cert.id;
    k->used = t && k->told_count < KEY_ASK_ANSWERS;
    if (!events_push(&e->events, &ev))
        e->counters.queue_dropped++;
}

/* To whoever asks, but no more than was sent, nor often: it costs next to nothing. */
void endpoint_key_asked(struct endpoint *e, uint64_t now_us, const struct hop *from,
                        const uint8_t *data, size_t len) {
    struct key_told t = {.transport = e->identity.transport_public, .cert = e->cert};
    uint8_t msg[KEY_TOLD_BYTES];
    e->counters.key_asks_in++;
    if (!e->relay_server || !key_ask_read(t.nonce, data, len) ||
        !handshake_budget_take(&e->key_budget, now_us, from)) {
        e->counters.key_asks_refused++;
        return;
    }
    key_told_write(&t, msg);
    e->counters.keys_told++;
    endpoint_queue_small(e, NULL, from, msg, len);
}

static bool has_told(const struct key_ask *k, const struct node_id *id) {
    for (unsigned i = 0; i < k->told_count; i++)
        if (node_id_equal(&k->told[i], id))
            return true;
    return false;
}

void endpoint_key_told(struct endpoint *e, const struct hop *from, const uint8_t *data,
                       size_t len) {
    const uint8_t *nonce = key_told_nonce(data, len);
    for (unsigned i = 0; nonce && e->key_asks && i < KEY_ASKS_MAX; i++) {
        struct key_ask *k = &e->key_asks->v[i];
        struct key_told t;
        if (!k->used || k->nonce != load_le64(nonce) || !was_asked(k, from))
            continue;
        if (k->brief ? len != KEY_HERE_BYTES : !key_told_read(&t, data, len))
            break;
        if (!k->brief && has_told(k, &t.cert.id))
            break;
        tell(e, k, from, 0, k->brief ? NULL : &t);
        return;
    }
    e->counters.key_told_refused++;
}

uint64_t endpoint_key_ask_us(const struct endpoint *e) {
    uint64_t d = TIME_NEVER;
    for (unsigned i = 0; e->key_asks && i < KEY_ASKS_MAX; i++)
        if (e->key_asks->v[i].used && e->key_asks->v[i].next_us < d)
            d = e->key_asks->v[i].next_us;
    return d;
}

void endpoint_key_ask_timeout(struct endpoint *e, uint64_t now_us) {
    for (unsigned i = 0; e->key_asks && i < KEY_ASKS_MAX; i++) {
        struct key_ask *k = &e->key_asks->v[i];
        if (!k->used || now_us < k->next_us)
            continue;
        if (k->told_count > 0)
            k->used = false;
        else if (k->tries == KEY_ASK_TRIES)
            tell(e, k, &k->at[0], ERR_TIMEOUT, NULL);
        else
            send(e, now_us, k);
    }
}
