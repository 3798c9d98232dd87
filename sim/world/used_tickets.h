/* used_tickets.h: the tickets that were used in the run, and who has tried one of them afterwards.
 */
#ifndef MESHD_SIM_WORLD_USED_TICKETS_H
#define MESHD_SIM_WORLD_USED_TICKETS_H

#include <stdint.h>

#include "node/node.h"

struct used_ticket {
    uint32_t user, giver;
    uint32_t thief; /* SIM_NO_HOST: nobody */
    char text[TICKET_TEXT_MAX + 1];
};

struct used_tickets { /* all zeroes is none; latest last */
    struct used_ticket *list;
    uint32_t count, cap;
};

void used_tickets_clear(struct used_tickets *u);
void used_tickets_add(struct used_tickets *u, uint32_t user, uint32_t giver, const char *text);
/* The last one that `user` has got from `giver`, or NULL. Valid until the next is added. */
struct used_ticket *used_tickets_find(struct used_tickets *u, uint32_t user, uint32_t giver);
/* How many `host` has given or used. */
uint32_t used_tickets_of(const struct used_tickets *u, uint32_t host);

#endif
