#include "sim/world/used_tickets.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"
#include "sim/world/tap.h"

void used_tickets_clear(struct used_tickets *u) {
    mem_free(u->list);
    *u = (struct used_tickets){0};
}

void used_tickets_add(struct used_tickets *u, uint32_t user, uint32_t giver, const char *text) {
    grow(&u->list, &u->cap, u->count + 1, sizeof *u->list);
    struct used_ticket *t = &u->list[u->count++];
    *t = (struct used_ticket){.user = user, .giver = giver, .thief = SIM_NO_HOST};
    (void)snprintf(t->text, sizeof t->text, "%s", text);
}

struct used_ticket *used_tickets_find(struct used_tickets *u, uint32_t user, uint32_t giver) {
    for (uint32_t i = u->count; i-- > 0;)
        if (u->list[i].user == user && u->list[i].giver == giver)
            return &u->list[i];
    return NULL;
}

uint32_t used_tickets_of(const struct used_tickets *u, uint32_t host) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < u->count; i++)
        n += u->list[i].giver == host || u->list[i].user == host;
    return n;
}
