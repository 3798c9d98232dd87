/* Many connections to one control API. */
#include "support_clients.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

struct clients *clients_open(unsigned clients, uint64_t seed) {
    struct clients *s = calloc(1, sizeof *s);
    s->w = world_new(2, seed);
    s->c = talk_serve(s->w, 0);
    for (s->count = 0; s->count < clients; s->count++)
        talk_open(&s->t[s->count], s->w, 0, s->c);
    return s;
}

void clients_close(struct clients *s) {
    for (unsigned i = 0; i < s->count; i++)
        talk_close(&s->t[i]);
    talk_unserve(s->w, 0, s->c);
    world_free(s->w);
    free(s);
}
