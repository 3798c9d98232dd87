/* sim_int.h: private to sim/world: the world's insides. */
#ifndef MESHD_SIM_WORLD_SIM_INT_H
#define MESHD_SIM_WORLD_SIM_INT_H

#include "net/base/limits.h"
#include "sim/engine/crypto_mode.h"
#include "sim/invariants/invariants.h"
#include "sim/measure/trouble.h"
#include "sim/world/host.h"
#include "sim/world/icmp.h"
#include "sim/world/load.h"
#include "sim/world/packet.h"
#include "sim/world/route.h"
#include "sim/world/sim.h"

struct clogged {
    struct packet *packet;
    enum event_kind again; /* what goes on with it */
    uint64_t until_ns;
};
struct clog { /* all zeroes is empty; in the order in which they came */
    struct clogged *list;
    uint32_t count, cap;
};

struct used_ticket {
    uint32_t user, giver;
    uint32_t thief; /* who tried it afterwards; SIM_NO_HOST */
    char text[TICKET_TEXT_MAX + 1];
};

struct sim {
    struct world world;
    struct sites sites;
    struct clog clog;
    struct load *loads;
    uint32_t load_count;
    struct watch *watch;  /* NULL: nobody looks */
    uint32_t acting;      /* whose node is being run */
    uint64_t inspected_s; /* the last second that was looked at */
    struct ledger ledger;
    struct used_ticket *tickets; /* what was used in the run, latest last */
    uint32_t ticket_count, ticket_cap;
    struct demands demands;   /* what was asked, and what came of it */
    struct troubles troubles; /* what excuses what did not */
    uint8_t train[TRAIN_MAX_BYTES];
};

/* host.c */
struct host *host_new(struct sim *s, const struct sim_host_options *o);
void host_free(struct host *h);
void host_start(struct host *h);
void host_kill(struct host *h);
void host_stop(struct host *h);
void host_pump(struct host *h);
void host_wake(struct host *h);
void host_too_big(struct host *h, const struct icmp_note *note);
void host_file_done(struct host *h, const struct event *e);
/* What it is told at start or after a roam: its addresses. */
void host_network_changed(struct host *h); /* its daemon has noticed; pump it after that */
void host_tell(struct host *h);
void host_add_contact(struct host *h, uint32_t other);
uint64_t host_wall_us(const struct host *h); /* what its wall clock shows */
void host_set_wall(struct host *h);

void heard_event(struct host *h, const struct node_event *e); /* heard.c */

/* pause.c: suspended and stalled hosts */
/* True if the event waits or is gone (its packet then, too), since the host does not run now. */
bool host_holds(struct host *h, const struct event *e);
/* for_ns 0: until host_resume. If it is paused already, the later end counts. */
void host_pause(struct host *h, enum host_state state, uint64_t for_ns);
void host_resume(struct host *h);

/* inspect.c: what the watch is told; all do nothing without one */
void inspect_begin(struct sim *s);
void inspect_started(struct host *h);
void inspect_addresses(struct host *h);
void inspect_sent(struct host *h, const struct addr *to, const uint8_t *data, uint32_t len);
void inspect_received(struct host *h, const struct packet *p, uint64_t accepted_before);
void inspect_up(struct host *h, uint32_t peer); /* a session is up */
void inspect_turn(struct host *h);
void inspect_commit(struct host *h);   /* a file has got its name */
void inspect_confirmed(struct sim *s); /* what was confirmed is there */
void inspect_transfer(struct host *h, const char *name, bool right);
/* A message has come; serial: which of the ledger's it says that it is. */
void inspect_message(struct host *h, uint32_t peer, uint64_t serial);
void inspect_seconds(struct sim *s); /* once a simulated second: tables, memory, sessions */
/* The node of a host has ended; so many bytes are missing. */
void inspect_ended(struct host *h, uint64_t bytes);
static inline uint64_t inspect_accepted(const struct host *h) {
    return node_counters(h->node)->data_accepted;
}

/* duty.c: what was asked for, and what the world did that excuses it from being done */
struct duty {
    enum demand_kind kind;
    uint32_t from, to;
    uint64_t ref; /* as in struct demand_item */
};
/* It was asked for; err: the node has refused it. */
void duty_asked(struct sim *s, const struct duty *d, int err);
void duty_done(struct sim *s, const struct duty *d,
               int err); /* every open one of this kind and ref */
void duty_event(struct host *h, uint32_t peer, const struct node_event *e);
bool duty_can_reach(const struct sim *s, uint32_t from,
                    uint32_t to); /* by itself, as far as its world lets it */
bool duty_paired(const struct sim *s, uint32_t a, uint32_t b); /* both say so */
void duty_died(struct host *h);
void duty_lost_power(struct host *h);
void duty_trouble(struct host *h, enum trouble_kind kind, bool lasts);
void duty_moment(struct host *h, enum trouble_kind kind);
/* A datagram came through. */
void duty_heard(struct sim *s, const struct packet *p);
void duty_lost(struct sim *s, const struct packet *p); /* or spoiled */
void duty_hostile(struct host *h);
void duty_line(struct host *h);               /* its link is another from now on */
void duty_site(struct sim *s, uint32_t site); /* the NAT of all in it has forgotten them */

/* clog.c */
void clog_hold(struct sim *s, struct packet *p, enum event_kind again, uint64_t until_ns);
void clog_release(struct sim *s, bool all); /* those whose time has come, or all */
void clog_clear(struct sim *s);

/* wire.c */
void wire_schedule(struct sim *s, struct packet *p, uint64_t at_ns, enum event_kind kind);
void wire_send(struct host *h, const struct train *t);
/* One datagram that is not the node's own idea, from any address: a hostile host's. */
void wire_inject(struct host *h, const struct addr *from, const struct addr *to,
                 const uint8_t *data, uint32_t len);
void wire_arrive(struct sim *s, struct packet *p);
void wire_line(struct sim *s, struct packet *p);
void wire_deliver(struct sim *s, struct packet *p);
/* The packet has ended like this; it is freed. */
void wire_drop(struct sim *s, struct packet *p, enum fate fate);

#endif
