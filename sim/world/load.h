/* load.h: a workload: something that a set of hosts does again and again, each on its own schedule: every
 * `interval`, a little early or late (evenly drawn within half of it), with a drawn partner.
 */
#ifndef MESHD_SIM_WORLD_LOAD_H
#define MESHD_SIM_WORLD_LOAD_H

#include <stdbool.h>
#include <stdint.h>

struct host;
struct sim;
struct event;

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

enum { FLOW_HEAD_BYTES = 16 }; /* of a flow's datagram: serial, when it was sent */

void load_clear(struct load *l);
/* Takes the lists over. Before sim_begin or after. */
void load_add(struct sim *s, const struct load *model);
void load_begin(struct sim *s); /* time 0: the first events */
void load_run(struct sim *s, const struct event *e);
/* A datagram of a flow has come. */
void load_flow_got(struct host *h, const uint8_t *data, uint32_t len);

#endif
