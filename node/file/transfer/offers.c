#include "node/file/transfer/offers.h"

struct holding {
    unsigned count;
    size_t bytes;
};

static struct holding holding_of(const struct offers *o, uint32_t contact) {
    struct holding h = {0};
    for (unsigned i = 0; i < o->count; i++) {
        const struct offer *at = &o->list[i];
        if (at->contact != contact || at->stand == OFFER_GONE)
            continue;
        h.count++;
        h.bytes += at->bytes;
    }
    return h;
}

static struct holding holding_all(const struct offers *o) {
    struct holding h = {0};
    for (unsigned i = 0; i < o->count; i++) {
        const struct offer *at = &o->list[i];
        if (at->stand == OFFER_GONE || at->stand == OFFER_GIVES)
            continue;
        h.count++;
        h.bytes += at->bytes;
    }
    return h;
}

/* The one that gives way: of the contact that holds most, an offer that waits before a transfer
 * that has stopped, the newest before older ones. False: nobody holds more than `own`. */
static bool victim(const struct offers *o, struct holding own, bool bytes, bool moving_too,
                   unsigned *out) {
    bool any = false;
    struct holding most = own;
    enum offer_stand readiest = OFFER_GONE;
    most.count++; /* as many as the one that asks will have are no reason */
    for (unsigned i = 0; i < o->count; i++) {
        const enum offer_stand ready = o->list[i].stand;
        if (ready < OFFER_MOVES || (ready == OFFER_MOVES && !moving_too))
            continue;
        const struct holding h = holding_of(o, o->list[i].contact);
        const bool more = bytes ? h.bytes > most.bytes : h.count > most.count;
        const bool same = any && (bytes ? h.bytes == most.bytes : h.count == most.count);
        if (!more && !(same && ready >= readiest))
            continue;
        any = true;
        *out = i;
        readiest = ready;
        most = h;
    }
    return any;
}

static void met(struct offers_word *word, enum limit limit, uint64_t max) {
    word->limit = limit;
    word->max = max;
}

enum offers_verdict offers_judge(const struct offers *o, uint32_t contact, size_t bytes,
                                 struct offers_word *word) {
    const struct holding all = holding_all(o);
    struct holding own = holding_of(o, contact);
    const bool has_none = own.count == 0, many = all.count >= OFFERS_MAX;
    own.bytes += bytes;
    *word = (struct offers_word){0};
    if (own.count >= OFFERS_MAX_PER_CONTACT) {
        met(word, LIMIT_OFFERS_CONTACT, OFFERS_MAX_PER_CONTACT);
        return OFFERS_FULL;
    }
    if (own.bytes > OFFERS_BYTES_MAX_PER_CONTACT) {
        met(word, LIMIT_OFFER_BYTES_CONTACT, OFFERS_BYTES_MAX_PER_CONTACT);
        return OFFERS_FULL;
    }
    if (!many && all.bytes + bytes <= OFFERS_BYTES_MAX)
        return OFFERS_ROOM;
    met(word, many ? LIMIT_OFFERS : LIMIT_OFFER_BYTES, many ? OFFERS_MAX : OFFERS_BYTES_MAX);
    const bool gives = victim(o, own, !many, false, &word->at) ||
                       (has_none && victim(o, own, !many, true, &word->at));
    return gives ? OFFERS_GIVE_WAY : OFFERS_FULL;
}
