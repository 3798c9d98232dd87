/* world.h: private to sim/: the world's insides, shared by sim.c (time), host.c (nodes), wire.c
 * (datagrams), route.c (addresses, sites), fault.c (cuts and clogs), load.c (workloads), act.c
 * (what hosts are told to do), duty.c (what must come of it) and metrics.c (what is read off).
 */
#ifndef MESHD_SIM_WORLD_WORLD_H
#define MESHD_SIM_WORLD_WORLD_H

#include "net/base/limits.h"
#include "sim/engine/arena.h"
#include "sim/engine/crypto_mode.h"
#include "sim/engine/draw.h"
#include "sim/engine/heap.h"
#include "sim/engine/host_clock.h"
#include "sim/engine/names.h"
#include "sim/engine/slab.h"
#include "sim/invariants/invariants.h"
#include "sim/link/fault.h"
#include "sim/measure/ledger.h"
#include "sim/measure/trouble.h"
#include "sim/world/hostile.h"
#include "sim/world/icmp.h"
#include "sim/world/load.h"
#include "sim/world/sim.h"
#include "sim/world/site.h"

/* The internal clock's values: pairing happens before, the run at and after WORLD_START_NS. */
#define WORLD_SETUP_NS (1 * SIM_S)
#define WORLD_START_NS (100000 * SIM_S)
#define WORLD_WALL_US UINT64_C(1767225600000000) /* 2026-01-01: what nodes are told at clock 0 */
#define WORLD_IDEAL_DELAY_NS (1 * SIM_MS)        /* of every packet before time 0 */

enum {
    WORLD_PORT = 7700,
    WORLD_TURNS_MAX = 1000000,    /* of one host at one instant: then it is a livelock */
    WORLD_SOCKET_BYTES = 4 << 20, /* what waits for a stalled host: a large socket buffer */
    WORLD_HELD_MAX = 65536,       /* events held for a suspended or stalled host */
    WORLD_CLOGGED_MAX =
        1 << 20, /* packets that wait behind clogs; more are dropped as by a full queue */
};
#define WORLD_DOWNLOADS "/inbox"

enum event_kind {
    EVENT_ARRIVE,  /* ref packet: at the receiver's access link */
    EVENT_LINE,    /* ref packet: at the line of a site, or, on its way down, at the receiver's */
    EVENT_DELIVER, /* ref packet: at the receiver; tag: which host that will probably be */
    EVENT_WAKE,    /* tag host */
    EVENT_FILE,    /* ref file_op, source host, tag life */
    EVENT_LOAD,    /* tag load, source host */
    EVENT_HOSTILE, /* source host, tag: hostile.c's: its next mischief */
    EVENT_ICMP,    /* ref icmp_note: its host hears it */
    EVENT_RESUME,  /* tag: which pause it ends */
    EVENT_UNCLOG,  /* a clog ends */
};

struct packet {
    uint32_t source, target; /* hosts; target SIM_NO_HOST until it is known who gets it */
    uint32_t likely;         /* a guess at target, only to fetch its memory early */
    uint32_t top;            /* the site in which it turns; SITE_NONE: the internet */
    uint32_t at;             /* the site whose line is next; SITE_NONE: none */
    uint32_t number;         /* of the public address it goes to, once it is on the internet */
    uint64_t late_ns;        /* of the downlink's delay already in its time of delivery */
    uint64_t core_ns;        /* how long the core takes */
    uint32_t len, seq;       /* seq: the source's how-manieth datagram, from 0 */
    uint32_t link_host;      /* whose link ended it, if one did */
    bool link_down;
    uint64_t link_packet; /* its number there */
    uint8_t ecn;          /* of the IP header (net/recovery/ecn.h) */
    bool resolved;        /* on its way down: target is right, and nothing lies between */
    bool hairpin;         /* the NAT of `top` has brought it back */
    bool descends;        /* it has been in the core, or where it turned */
    uint32_t router;      /* the site in which the sending end of the present link is */
    struct addr from, to; /* as they are on this part of the way: NATs rewrite them */
    uint8_t data[];
};

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

/* How many datagrams of one host to another were lost in a row, and since when. */
struct silence {
    uint64_t since_ns;
    uint32_t lost; /* of what this host's contact sends to it, in a row */
    uint32_t
        unanswered; /* of what either sends to the other, since this contact has heard of this host */
    uint64_t heard_ns; /* when it has */
};

struct host { /* what every event touches comes first, so that it is few cache lines */
    struct sim *sim;
    struct node *node; /* NULL: not running */
    uint32_t index, site;
    uint32_t seq;  /* numbers events for the heap */
    uint32_t sent; /* numbers datagrams */
    enum host_state state;
    bool plain_down;         /* link_is_plain(&down) */
    uint64_t wake_ns;        /* the earliest wake in the heap; LEDGER_NEVER: none */
    uint64_t turn_ns, turns; /* livelock guard */
    struct hclock clock;
    struct hostile *hostile; /* NULL: honest */
    struct arena arena;
    unsigned addr_count;
    struct addr addrs[2]; /* its own, IPv4 and IPv6; inside its site */
    uint32_t region;
    uint32_t *contacts;       /* hosts it has been paired with */
    struct silence *silences; /* by contact */
    uint32_t contact_count, contact_cap;
    struct link up, down;

    char name[SIM_NAME_MAX + 1];
    char group[SIM_NAME_MAX + 1]; /* label in reports; may be empty */
    struct identity identity;
    struct sim_host_options options; /* without the names */
    struct store_mem *store;
    uint64_t sync_token; /* of the barrier under way: a node has one at a time */
    struct disk *disk;
    uint32_t setup_number; /* its address before the start */
    struct addr mapped;    /* what a port-mapping gateway gave; ADDR_NONE */
    struct addr outer;     /* in a site: under which the internet saw it last; ADDR_NONE */
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
    uint64_t leaked_bytes;         /* not given back by earlier lives */
};

struct world_stats {
    uint64_t sent, sent_bytes, delivered, delivered_bytes, drops[FATE_COUNT];
    uint64_t duplicated, reordered, corrupted, marked;
    uint64_t icmp[ICMP_KINDS], icmp_lost; /* heard by hosts; and not */
    uint64_t events, turns, file_ops, peak_node_bytes;
};

struct sim {
    struct sim_tap tap;
    uint64_t seed, now_ns;
    bool begun;
    struct draw draw;
    struct heap heap;
    struct slab slab;
    struct host **hosts;
    uint32_t host_count, host_cap;
    struct names names; /* of hosts */
    struct route route;
    struct faults faults;
    struct clog clog;
    struct load *loads;
    uint32_t load_count;
    struct watch *watch;  /* NULL: nobody looks */
    uint32_t acting;      /* whose node is being run */
    uint64_t inspected_s; /* the last second that was looked at */
    struct trace trace;
    struct ledger ledger;
    struct used_ticket *tickets; /* what was used in the run, latest last */
    uint32_t ticket_count, ticket_cap;
    struct demands demands;   /* what was asked, and what came of it */
    struct troubles troubles; /* what excuses what did not */
    struct world_stats stats;
    uint8_t train[TRAIN_MAX_BYTES];
    char failure[160];
};

/* sim.c */
void world_push(struct sim *s, struct host *source,
                const struct event *e); /* fills source and seq */
void world_drop_events(struct sim *s);  /* all that is to come */
void world_fail(struct sim *s, const struct host *h, const char *what);
static inline uint32_t world_entity(const struct host *h, enum entity e) {
    return h->index * ENTITIES + (uint32_t)e;
}

/* host.c */
struct host *host_new(struct sim *s, const struct sim_host_options *o);
void host_free(struct host *h);
void host_start(struct host *h);
void host_kill(struct host *h);
void host_stop(struct host *h);
void host_pump(struct host *h);
void host_wake(struct host *h);
void host_file_done(struct host *h, const struct event *e);
/* What it is told at start or after a roam: its addresses. */
void host_network_changed(struct host *h); /* its daemon has noticed; pump it after that */
void host_tell(struct host *h);
void host_add_contact(struct host *h, uint32_t other);
/* What its node calls now. */
static inline uint64_t host_now_us(const struct host *h) {
    return hclock_at_ns(&h->clock, h->sim->now_ns) / 1000;
}

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
