/* support_clients.h: a node with as many control clients as wanted. */
#ifndef MESHD_TESTS_SUPPORT_CLIENTS_H
#define MESHD_TESTS_SUPPORT_CLIENTS_H

#include "support_talk.h"

struct clients {
    struct world *w;
    struct control *c;
    struct talk t[CONTROL_CONNS_MAX];
    unsigned count;
};

/* Node 0 of two is served, to so many. */
struct clients *clients_open(unsigned clients, uint64_t seed);
void clients_close(struct clients *s);

#endif
