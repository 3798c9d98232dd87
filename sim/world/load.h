/* load.h: a workload: something that a set of hosts does again and again, each on its own schedule:
 * every `interval`, a little early or late (evenly drawn within half of it), with a drawn partner.
 */
#ifndef MESHD_SIM_WORLD_LOAD_H
#define MESHD_SIM_WORLD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct event;
struct world;

enum load_kind { LOAD_PING, LOAD_MESSAGE, LOAD_TRANSFER, LOAD_FLOW, LOAD_CONNECT, LOAD_KINDS };
const char *load_kind_name(enum load_kind k);

struct load {
    enum load_kind kind;
    unsigned line;              /* of the scenario; 0: none */
    bool may;                   /* what it asks for may fail */
    uint64_t id;                /* numbers its draws: no two have the same */
    uint64_t interval_ns;       /* between two of one host; above 0 */
    uint64_t size;              /* of a message, a file or a datagram, in bytes */
    uint64_t from_ns, until_ns; /* of the run; until UINT64_MAX: to the end */
    uint32_t *hosts, host_count;
    uint32_t *targets, target_count; /* none: each host's contacts */
    uint64_t *done;                  /* per host: numbers its draws */
};

struct loads {
    struct world *world;
    struct load *list;
    uint32_t count;
};

void loads_init(struct loads *ls, struct world *w);
void loads_clear(struct loads *ls);
/* Takes the lists over. Before time 0 or after. */
void loads_add(struct loads *ls, const struct load *model);
void loads_begin(struct loads *ls); /* time 0: the first events */

struct load_due {
    const struct load *load;
    uint32_t from, to;
};
/* EVENT_LOAD: what a host is to do now; false: nothing, this time. In both cases loads_again plans
 * the next, after that. */
bool loads_due(const struct loads *ls, const struct event *e, struct load_due *out);
void loads_again(struct loads *ls, const struct event *e);

#endif
