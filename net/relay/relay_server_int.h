/* relay_server_int.h: what the files of the relay's server share: relay_server.c has its clients
 * and time, relay_requests.c what they ask for and how flows end, relay_forward.c their datagrams.
 */
#ifndef MESHD_NET_RELAY_RELAY_SERVER_INT_H
#define MESHD_NET_RELAY_RELAY_SERVER_INT_H

#include "net/base/timer.h"
#include "net/relay/relay_calls.h"
#include "net/relay/relay_clients.h"
#include "net/relay/relay_flows.h"
#include "net/relay/relay_list.h"
#include "net/relay/relay_load.h"
#include "net/relay/relay_queue.h"
#include "net/relay/relay_quota.h"
#include "net/relay/relay_rate.h"
#include "net/relay/relay_server.h"
#include "net/relay/relay_signals.h"

struct relay_announcement { /* to all clients, one after another */
    uint32_t next;          /* the place of the one who is told next */
    bool users;             /* only those who have flows */
    bool under_way;
};

struct relay_server {
    struct relay_limits limits;
    struct rng rng;
    struct relay_clients clients;
    struct relay_flows flows;
    struct relay_queues queues;
    struct relay_signals signals;
    struct relay_quota quota;
    struct relay_calls calls;
    struct relay_list allow, block;
    struct relay_load load;
    struct relay_counters counters;
    struct relay_announcement tell_load, tell_restart;
    struct timer_heap timers; /* a flow: 2 x its place; a client: that of its place + 1 */
    struct relay_rate out;    /* what is forwarded in all */
    uint64_t out_from_us;     /* asked for trains while the rate was used up: when to ask again */
    uint64_t restart_us;      /* it stops then; 0: it does not */
    uint64_t restart_tell_us; /* that is told once more then, */
    unsigned restart_tells;   /* so often still, */
    uint32_t restart_gap_us, restart_for_ms;
};

enum {
    RELAY_OUT_BURST_US = 5 * 1000,      /* trains leave so far ahead of the rate of all: a timer
                                         * that fires late loses nothing */
    RELAY_CLIENT_BURST_US = 250 * 1000, /* a client may be so far ahead of its own: a window of
                                         * one round trip */
};

/* ---- relay_requests.c ---- */

void relay_tell(struct relay_server *s, uint32_t client, const struct relay_signal *x);
/* That a flow of this number is none of its. At most once in RELAY_RETRY_US. */
void relay_tell_no_flow(struct relay_server *s, uint64_t now_us, uint32_t client, uint32_t number);
/* The flow is over. Tells who has asked, or has the flow, why; not the client `but`. */
void relay_end_flow(struct relay_server *s, struct relay_entry *f, uint8_t reason, uint32_t but);
/* All of a client; the client itself is told, too, if `told`. */
void relay_end_flows_of(struct relay_server *s, uint32_t client, uint8_t reason, bool told);
bool relay_is_blocked(const struct relay_server *s, uint32_t client);
void relay_request(struct relay_server *s, uint64_t now_us, uint32_t client,
                   const struct relay_msg *m);
/* A flow's time has come: INCOMING is said again, or nobody has used it. */
void relay_flow_due(struct relay_server *s, uint64_t now_us, struct relay_entry *f);
/* Sets the reservation's timer. */
void relay_client_due(struct relay_server *s, uint32_t client, uint64_t at_us);

#endif
