/* tap.h: what whoever watches a world gets to see: each datagram's end, the nodes' events and logs,
 * what routers say, and all that goes into the trace. For logs, captures and reports.
 */
#ifndef MESHD_SIM_WORLD_TAP_H
#define MESHD_SIM_WORLD_TAP_H

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"
#include "sim/engine/trace.h"
#include "sim/link/link.h"
#include "sim/world/icmp_note.h"

#define SIM_US UINT64_C(1000)
#define SIM_MS UINT64_C(1000000)
#define SIM_S UINT64_C(1000000000)

enum { SIM_NAME_MAX = 32, SIM_HOSTS_MAX = 100000 };
#define SIM_NO_HOST UINT32_MAX

struct sim;

struct sim_datagram { /* what became of one datagram */
    uint64_t time_ns;
    uint32_t source, target; /* target SIM_NO_HOST: nobody has the address */
    struct addr from, to;
    uint8_t source_nic, target_nic; /* which of their interfaces; 0: the first */
    enum fate fate;
    const uint8_t *data;
    uint32_t len;
    uint8_t ecn;  /* of the IP header (net/recovery/ecn.h) */
    uint32_t seq; /* the source's how-manieth datagram, from 0 */
    /* If the link of a host's first interface ended it: whose, which way, and its number there (as
     * `lose` counts). */
    uint32_t link_host; /* SIM_NO_HOST: none did */
    bool link_down;
    uint64_t link_packet;
};

/* Watchers; each may be NULL. They must not call into the world. */
struct sim_tap {
    void *ctx;
    void (*begin)(void *ctx, const struct sim *s); /* time 0 */
    void (*datagram)(void *ctx, const struct sim_datagram *d);
    void (*node_event)(void *ctx, uint64_t time_ns, const char *host, const struct node_event *e);
    void (*log)(void *ctx, uint64_t time_ns, const char *host, enum log_level level,
                const char *line);
    void (*icmp)(void *ctx, uint64_t time_ns, const struct icmp_note *note); /* a host hears it */
    void (*record)(void *ctx, const struct trace_record *r); /* all that goes into the trace */
};

#endif
