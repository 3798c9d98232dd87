/* relay_limits.h: what a relay lets its clients have, all in one place, with what happens at the
 * bound. A user may set these ([relay] limits, meshd.conf(5)); what cannot be set is below. Value
 * struct.
 */
#ifndef MESHD_NET_RELAY_RELAY_LIMITS_H
#define MESHD_NET_RELAY_RELAY_LIMITS_H

#include <stdint.h>

struct relay_limits {
    /* Sessions that have something here, 1 to RELAY_CLIENTS_MAX. Full: refused, `full`. */
    uint32_t clients;
    /* Flows, of one client and of all (RELAY_FLOWS_MAX at most). Full: refused, `full`. */
    uint16_t flows_per_client;
    uint32_t flows;
    /* Reservations from one IPv4 /24 or IPv6 /48. Full: refused, `full`. */
    uint32_t reservations_per_prefix;
    uint32_t reservation_s, flow_s; /* lifetimes that are given, 1 to 65,535 s */
    /* What one client may send; 0: no such limit. Beyond: dropped, counted. */
    uint64_t client_bytes_per_s;
    /* What is forwarded in all; 0: no such limit. Beyond: waits in the queues, which are bounded.
     */
    uint64_t bytes_per_s;
    /* What one client may send in 24 hours; 0: no such limit. Beyond: its flows end, `quota`. */
    uint64_t client_bytes_per_day;
    /* What waits. Longer than so: dropped. More bytes than so, of one end of a flow and of all:
     * what comes is dropped. */
    uint32_t queue_ms;
    uint32_t queue_bytes_per_flow, queue_bytes;
};

enum {
    RELAY_CLIENTS_MAX = 1 << 17,
    RELAY_FLOWS_MAX = 1 << 18,
    RELAY_LIST_MAX = 1 << 14,    /* ids in an allow list or a block list; more: ERR_FULL */
    RELAY_SIGNALS_MAX = 1 << 16, /* waiting to be told, in all; more: dropped, repeated or told */
    RELAY_SIGNALS_CLIENT_MAX = 128, /* with the next datagram; and to one client */
    RELAY_OPENS_BURST = 32,         /* flows one client makes at once, */
    RELAY_OPEN_US = 250 * 1000,     /* and then one in so long. More: refused, `full` */
    RELAY_OFFERS_MAX = 16,          /* flows offered to a client that it has not answered. One more:
                                     at the relay the oldest is refused, a client drops it */
    RELAY_RETRY_US = 250 * 1000,    /* what is not answered is sent again, the interval doubling, */
    RELAY_TRIES = 5,                /* so often in all; then it has failed, after 31 times that. */
    RELAY_OFFER_TRIES = 4,          /* INCOMING: less, so that who asks hears of it in time */
    RELAY_RESTARTING_TRIES = 3,     /* RESTARTING is said so often, RELAY_RETRY_US apart, or sooner
                                     * if it stops sooner */
    RELAY_LOAD_STEP = 32,           /* a load that changed by so much is told, */
    RELAY_LOAD_US = 10 * 1000000,   /* but not more often than this; and those who have a */
    RELAY_LOAD_IDLE_US = 300 * 1000000, /* reservation and no flow, whom it costs most, than this */
};

static inline struct relay_limits relay_limits_default(void) {
    return (struct relay_limits){
        .clients = 16384,
        .flows_per_client = 64,
        .flows = 1 << 16,
        .reservations_per_prefix = 256,
        .reservation_s = 3600,
        .flow_s = 300,
        .bytes_per_s = 100 * 1000 * 1000 / 8,
        .queue_ms = 50,
        .queue_bytes_per_flow = 1 << 20,
        .queue_bytes = 16 << 20,
    };
}

#endif
