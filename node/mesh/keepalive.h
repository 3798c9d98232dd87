/* keepalive.h: how often a relay is told that we are still here: as rarely as the NATs between
 * allow, which is learnt. A value module.
 *
 * It begins with 25 s, which all but the worst NATs hold a mapping for, and is stretched step by
 * step while that does no harm (RFC 4787 asks for 120 s, many keep 60 or 30). Harm is: the relay
 * did not answer, or it saw us at another place than before, so that the mapping had gone. Then it
 * goes one step back, and that step is not tried again for KEEPALIVE_WARY_US.
 */
#ifndef MESHD_NODE_MESH_KEEPALIVE_H
#define MESHD_NODE_MESH_KEEPALIVE_H

#include <stdint.h>

enum {
    KEEPALIVE_STEPS = 5, /* 25, 40, 60, 85, 110 s */
    KEEPALIVE_SURE = 1,  /* so many in a row went well: a step further */
    KEEPALIVE_WARY_S = 4 * 3600,
};

struct keepalive {    /* zeroes: nothing is learnt */
    uint8_t step;     /* 0..KEEPALIVE_STEPS - 1 */
    uint8_t well;     /* in a row at this step */
    uint8_t bad;      /* the step that did harm; 0: none */
    uint64_t wary_us; /* it is not tried before */
};

uint64_t keepalive_us(const struct keepalive *k);
/* The same, up to a tenth less by draw (any number): those that began together do not go on so. */
uint64_t keepalive_drawn_us(const struct keepalive *k, uint64_t draw);
/* One was answered after so long a silence, and we are seen where we were. */
void keepalive_well(struct keepalive *k, uint64_t now_us);
/* One was not answered, or the mapping had gone. */
void keepalive_harm(struct keepalive *k, uint64_t now_us);

#endif
