#include "net/session/open_tickets.h"

#include <sodium.h>

#include "crypto/base/mem.h"
#include "net/wire/handshake_msg.h"

void open_tickets_clear(struct open_tickets *t) {
    if (t->list)
        sodium_memzero(t->list, TICKETS_OPEN_MAX * sizeof t->list[0]);
    mem_free(t->list);
    *t = (struct open_tickets){0};
}

static unsigned oldest(const struct open_tickets *t) {
    unsigned at = 0;
    for (unsigned i = 1; i < t->count; i++)
        if (t->list[i].opened < t->list[at].opened)
            at = i;
    return at;
}

int open_tickets_add(struct open_tickets *t, const struct psk *secret, uint64_t expires_us) {
    const uint64_t id = psk_id(secret);
    if (id == 0)
        return ERR_USAGE;
    if (!t->list)
        t->list = mem_calloc(TICKETS_OPEN_MAX, sizeof t->list[0]);
    if (!t->list)
        return ERR_NOMEM;
    const unsigned at = t->count == TICKETS_OPEN_MAX ? oldest(t) : t->count++;
    t->list[at] = (struct open_ticket){*secret, id, expires_us, t->opened++};
    return 0;
}

const struct open_ticket *open_tickets_find(const struct open_tickets *t, uint64_t now_us,
                                            uint64_t id) {
    for (unsigned i = 0; i < t->count; i++)
        if (t->list[i].id == id && now_us < t->list[i].expires_us)
            return &t->list[i];
    return NULL;
}

void open_tickets_burn(struct open_tickets *t, const struct psk *secret) {
    const uint64_t id = psk_id(secret);
    for (unsigned i = 0; i < t->count; i++) {
        if (t->list[i].id != id)
            continue;
        t->list[i] = t->list[--t->count];
        sodium_memzero(&t->list[t->count], sizeof t->list[0]);
        return;
    }
}
