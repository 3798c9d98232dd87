/* ledger.h: what was asked of the nodes and what came of it, seen from outside through their
 * events: connections, transfers, messages, pings. It judges nothing; metrics.c reads it.
 */
#ifndef MESHD_SIM_MEASURE_LEDGER_H
#define MESHD_SIM_MEASURE_LEDGER_H

#include <stdbool.h>
#include <stdint.h>

#include "node/node.h"
#include "sim/measure/progress.h"
#include "sim/measure/response.h"
#include "sim/measure/samples.h"

#define LEDGER_NEVER UINT64_MAX

struct ledger_transfer {
    uint32_t from, to;
    uint64_t id, size; /* the sender's id */
    char name[96];
    uint64_t asked_ns, started_ns, ended_ns; /* LEDGER_NEVER: not yet */
    uint64_t first_ns;                       /* when data came first */
    bool done, failed;
    bool verified; /* every byte on the receiver's disk is right */
    int err;
    struct response_path path; /* when it was asked for */
};

struct ledger_message {
    uint32_t from, to;
    uint64_t seq; /* the sender's */
    uint64_t asked_ns, received_ns;
    uint32_t times_received;
    uint64_t stored_seq; /* the receiver's */
    bool promised;       /* the sender has said that it survives a power cut */
    bool excused;        /* it had not, and one came: it need not arrive */
    bool delivered;
};

struct ledger_bond { /* what one host thinks of another */
    uint32_t to;
    bool wanted, up, ever_up;
    bool noticed; /* that the other's node has ended, since the session came up */
    bool willing; /* contacts from the beginning: it dials the other by itself, if it can */
    uint64_t asked_ns, down_ns; /* LEDGER_NEVER: not waiting */
    uint64_t last_serial;       /* of the messages that `to` got from here */
};

struct ledger_host {
    struct ledger_bond *bonds;
    uint32_t bond_count, bond_cap;
    uint32_t incoming, fresh; /* open transfers to it; of them those of which no data has come */
    uint64_t up_ns;           /* when a session of it came up last */
    uint64_t died_ns;         /* 1 + when its node ended last; 0: never */
};

struct ledger { /* all zeroes is empty */
    struct ledger_transfer *transfers;
    uint64_t transfer_count, transfer_cap;
    struct ledger_message *messages;
    uint64_t message_count, message_cap;
    struct ledger_host *hosts;
    uint32_t host_count;
    struct samples handshake, reconnect, ping, message;
    uint64_t handshakes_failed, pings_failed;
    uint64_t messages_received, messages_delivered, messages_doubled, messages_disordered,
        messages_unknown;
    struct samples flow; /* one-way times of datagrams */
    struct samples first_byte;
    struct samples noticed; /* from a node's end to when one that had a session with it says so */
    /* Of one that runs it was said that it does not answer; and nothing in the world was why. */
    uint64_t doubted, doubted_wrongly;
    struct progress progress;
    uint64_t flow_sent, load_done, load_refused;
    uint64_t healed_ns; /* when everything was last healed; 0: never */
    uint64_t events[NODE_EVENT_KINDS];
};

void ledger_clear(struct ledger *l);
struct ledger_bond *ledger_bond(struct ledger *l, uint32_t from, uint32_t to);
/* Somebody wants a session: starts the handshake's clock unless one is up or coming. */
void ledger_want(struct ledger *l, uint64_t now_ns, uint32_t from, uint32_t to);
struct ledger_transfer *ledger_add_transfer(struct ledger *l);
struct ledger_message *ledger_add_message(struct ledger *l);
/* An event of `host` about `peer` (which may be SIM_NO_HOST). Messages come by ledger_got_message.
 */
void ledger_event(struct ledger *l, uint64_t now_ns, uint32_t host, uint32_t peer,
                  const struct node_event *e);
/* `host` has received message number `serial` from `peer`, and stored it under `seq`. */
void ledger_got_message(struct ledger *l, uint64_t now_ns, uint32_t host, uint32_t peer,
                        uint64_t serial, uint64_t seq);
/* The power of `host` went. */
void ledger_lost_power(struct ledger *l, uint32_t host);
/* A flow's datagram, sent then, has come to a host. */
void ledger_flow(struct ledger *l, uint64_t now_ns, uint32_t host, uint64_t sent_ns);
/* The transfer of that number is under way: its node has taken the order. */
void ledger_begun(struct ledger *l, uint64_t number);
/* A datagram of a session has come to a host, so large that it carries data. */
void ledger_data(struct ledger *l, uint64_t now_ns, uint32_t host);
/* The host's node is gone, and what it was sending. */
void ledger_died(struct ledger *l, uint64_t now_ns, uint32_t host);

#endif
