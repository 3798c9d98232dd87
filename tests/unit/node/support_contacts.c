/* What is asked of a node about its contacts. */
#include "support_contacts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct contact_info contact_seen(struct world *w, unsigned by, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[by].node, w->now_us, name, &c));
    return c;
}

uint64_t dials_of(struct world *w, unsigned i) {
    return endpoint_counters(world_endpoint(w->nodes[i].node))->handshakes_out;
}

uint64_t packets_of(struct world *w, unsigned i) {
    return endpoint_counters(world_endpoint(w->nodes[i].node))->pkts_out;
}
