#include "crypto/noise/keys.h"

#include <assert.h>
#include <sodium.h>
#include <stddef.h>

static uint64_t elapsed_us(uint64_t since_us, uint64_t now_us) {
    return now_us > since_us ? now_us - since_us : 0;
}

static void drop(struct keygen *g, struct aead *a) {
    if (g->valid) {
        aead_forget(a, g->send_id);
        aead_forget(a, g->recv_id);
    }
    sodium_memzero(g, sizeof *g);
}

/* Copies and wipes, so that no second place holds the keys. */
static void move(struct keygen *to, struct keygen *from) {
    *to = *from;
    sodium_memzero(from, sizeof *from);
}

static void retire_current(struct keys *k, struct aead *a, uint64_t now_us) {
    if (!k->current.valid)
        return;
    drop(&k->previous, a);
    move(&k->previous, &k->current);
    k->replaced_us = now_us;
}

void keys_clear(struct keys *k, struct aead *a) {
    drop(&k->current, a);
    drop(&k->previous, a);
    drop(&k->next, a);
    k->replaced_us = 0;
    k->shown = false;
}

void keys_install(struct keys *k, struct aead *a, const struct keygen *g, bool as_next,
                  uint64_t now_us) {
    struct keygen *to = as_next ? &k->next : &k->current;
    if (as_next) {
        drop(&k->next, a);
    } else {
        retire_current(k, a, now_us);
        if (k->next.valid && k->next.epoch == g->epoch)
            drop(&k->next, a); /* one byte names one generation */
    }
    if (!as_next)
        k->shown = false;
    *to = *g;
    to->valid = true;
    to->born_us = now_us;
    to->send_id = aead_key_id(a);
    to->recv_id = aead_key_id(a);
}

void keys_confirm(struct keys *k, struct aead *a, uint64_t now_us) {
    assert(k->next.valid);
    retire_current(k, a, now_us);
    move(&k->current, &k->next);
    k->shown = true;
}

void keys_show(struct keys *k, uint64_t now_us) {
    if (k->shown)
        return;
    k->shown = true;
    k->replaced_us = now_us;
}

uint64_t keys_previous_until_us(const struct keys *k) {
    if (!k->previous.valid)
        return UINT64_MAX;
    const uint64_t end_us = k->previous.born_us + KEYS_REJECT_US + KEYS_PREVIOUS_US;
    const uint64_t late_us = k->replaced_us + KEYS_PREVIOUS_US;
    return k->shown && late_us < end_us ? late_us : end_us;
}

struct keygen *keys_for_epoch(struct keys *k, uint8_t epoch, uint64_t now_us) {
    if (k->current.valid && k->current.epoch == epoch)
        return &k->current;
    if (k->next.valid && k->next.epoch == epoch)
        return &k->next;
    if (k->previous.valid && k->previous.epoch == epoch && now_us < keys_previous_until_us(k))
        return &k->previous;
    return NULL;
}

void keys_expire(struct keys *k, struct aead *a, uint64_t now_us) {
    if (now_us >= keys_previous_until_us(k))
        drop(&k->previous, a);
}

static uint64_t packets_sent(const struct keygen *g, uint64_t next_counter) {
    return next_counter > g->first_counter ? next_counter - g->first_counter : 0;
}

bool keys_want_rekey(const struct keys *k, uint64_t now_us, uint64_t next_counter) {
    const struct keygen *g = &k->current;
    return g->valid && (elapsed_us(g->born_us, now_us) >= KEYS_REKEY_US ||
                        packets_sent(g, next_counter) >= KEYS_MAX_PACKETS / 2);
}

bool keys_may_send(const struct keys *k, uint64_t now_us, uint64_t next_counter) {
    const struct keygen *g = &k->current;
    return g->valid && elapsed_us(g->born_us, now_us) < KEYS_REJECT_US &&
           packets_sent(g, next_counter) < KEYS_MAX_PACKETS;
}
