/* host.h: one host: a real node, its links, disk and store, its clock, and what the world knows of
 * it. How its node runs is turn.c's.
 */
#ifndef MESHD_SIM_WORLD_HOST_H
#define MESHD_SIM_WORLD_HOST_H

#include "crypto/identity/identity.h"
#include "net/base/counters.h"
#include "sim/disk/disk.h"
#include "sim/disk/store_mem.h"
#include "sim/engine/host_clock.h"
#include "sim/link/link.h"
#include "sim/measure/ledger.h"
#include "sim/memory/arena.h"
#include "sim/world/host_options.h"
#include "sim/world/hostile.h"
#include "sim/world/nic.h"
#include "sim/world/site.h"
#include "sim/world/world.h"

enum entity {
    ENTITY_UP,
    ENTITY_DOWN,
    ENTITY_DISK,
    ENTITY_NODE,
    ENTITY_IDENTITY,
    ENTITY_LOAD,
    ENTITY_HOSTILE,
    ENTITIES = 8
};

enum host_state { HOST_RUNS, HOST_SUSPENDED, HOST_STALLED };

/* How a host has heard of one of its contacts, and what was lost between the two. */
struct silence {
    uint32_t with;       /* which contact */
    uint32_t lost;       /* of what the contact sends to the host, in a row */
    uint64_t since_ns;   /* since then */
    uint64_t heard_ns;   /* when the host has heard of it last */
    uint64_t unanswered; /* lost since then of what either sends to the other */
};

/* What was said in any so many seconds, whole ones since sim_mark. */
enum { IDLE_SECONDS = 300 };

struct host_idle { /* bytes since sim_mark, with IP and UDP headers */
    uint64_t to_relays, from_relays, to_others;
    uint32_t *seconds;    /* of IDLE_SECONDS, a ring: what went to relays; NULL: nothing yet */
    uint64_t second;      /* the last one that has something, from 0 */
    uint64_t last, worst; /* sums of the ring: now, and the greatest */
};

struct host { /* what every event touches comes first, so that it is few cache lines */
    struct world *world;
    struct node *node; /* NULL: not running */
    uint32_t index;
    uint32_t seq;  /* numbers events for the heap */
    uint32_t sent; /* numbers datagrams */
    enum host_state state;
    bool mortal;             /* its store may die, and its node with it (sim_die) */
    uint64_t wake_ns;        /* when it is to be woken; LEDGER_NEVER: not at all */
    uint64_t turn_ns, turns; /* livelock guard */
    struct hclock clock;
    struct hostile *hostile; /* NULL: honest */
    struct arena arena;
    uint32_t nic_count;
    struct nic *more; /* all interfaces but the first */
    struct nic first;
    uint32_t *contacts;       /* hosts it has been paired with */
    struct silence *silences; /* one each, in the same order */
    uint32_t contact_count, contact_cap;

    char name[SIM_NAME_MAX + 1];
    char group[SIM_NAME_MAX + 1]; /* label in reports; may be empty */
    struct identity identity;
    struct sim_host_options options; /* without the names */
    struct tcp_rule tcp;
    struct store_mem *store;
    uint64_t sync_token; /* of the barrier under way: a node has one at a time */
    struct disk *disk;
    uint32_t setup_number; /* its address before the start */
    struct draw_stream rng;
    uint32_t life;       /* counts starts */
    bool wiped;          /* what was on its disks once is gone */
    bool dies_of_power;  /* when its store does: the power is cut */
    uint32_t plots;      /* counts changes of its hostile plan */
    uint32_t pauses;     /* counts them, so that an old end does not end a new one */
    uint64_t lost_ns;    /* 1 + when a datagram from or to it was lost last; 0: never */
    uint64_t stopped_ns; /* suspended or stalled since */
    uint64_t resume_ns;  /* and until; UINT64_MAX: until it is resumed */
    struct event *held;  /* while suspended or stalled, in order */
    uint32_t held_count, held_cap;
    uint64_t held_bytes;
    struct file_op **ops; /* handed to the disk */
    uint32_t op_count, op_cap;
    struct endpoint_counters past; /* of earlier lives */
    struct host_idle idle;
    uint64_t leaked_bytes; /* not given back by earlier lives */
};

static inline uint32_t world_entity(const struct host *h, enum entity e) {
    return h->index * ENTITIES + (uint32_t)e;
}

/* What its node calls now. */
static inline uint64_t host_now_us(const struct host *h) {
    return hclock_at_ns(&h->clock, h->world->now_ns) / 1000;
}

/* Its interface of that number, from 0. */
static inline struct nic *host_nic(struct host *h, uint32_t i) {
    return i == 0 ? &h->first : &h->more[i - 1];
}

static inline const struct nic *host_nic_of(const struct host *h, uint32_t i) {
    return i == 0 ? &h->first : &h->more[i - 1];
}

/* The interface by which it sends to an address of that kind, if nothing else is said: the first
 * that is up and has one, too. If none is, the first that has one, and it goes nowhere. */
uint32_t host_route(const struct host *h, unsigned kind);
/* An interface that is up and has the address, whatever the port; false: none. */
bool host_nic_with(const struct host *h, const struct addr *a, uint32_t *nic);
bool host_owns(const struct host *h, const struct addr *a); /* up, and with this port */

/* Without a region, if it stands in a site: that is its site's (sim.c). */
struct host *host_new(struct world *w, const struct sim_host_options *o);
void host_free(struct host *h);
/* Crash: no goodbye; disk and store are kept. Nothing if its node does not run. */
void host_kill(struct host *h);
/* Crash of the machine: of what its store has committed since the last barrier a drawn number of
 * transactions survives. */
void host_power_cut(struct host *h);
void host_add_contact(struct host *h, uint32_t other);

/* The addresses that its node believes to have; how many. */
enum { HOST_OWN_MAX = 3 * HOST_NICS_MAX };
unsigned host_own_addresses(const struct host *h, struct addr out[static HOST_OWN_MAX]);
void host_tell(struct host *h);              /* its node is told them */
void host_network_changed(struct host *h);   /* its daemon has noticed; pump it after that */
uint64_t host_wall_us(const struct host *h); /* what its wall clock shows */
void host_set_wall(struct host *h);          /* its node is told */

#endif
