/* world.h: what all parts of the simulator know of the world: its clock and what comes next, its
 * hosts by number and name, its draws, its trace, what it counts. It knows of nobody: whoever wants
 * something to happen later pushes an event, and sim.c hands it to whom it is for.
 */
#ifndef MESHD_SIM_WORLD_WORLD_H
#define MESHD_SIM_WORLD_WORLD_H

#include "sim/engine/draw.h"
#include "sim/engine/heap.h"
#include "sim/link/fault.h"
#include "sim/memory/slab.h"
#include "sim/text/names.h"
#include "sim/world/tap.h"
#include "sim/world/wakes.h"

struct duties;
struct flight;
struct host;
struct inspection;

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
    EVENT_WAKE,    /* source host: its node's deadline has come (wakes.h) */
    EVENT_FILE,    /* ref file_op, source host, tag life */
    EVENT_LOAD,    /* tag load, source host */
    EVENT_HOSTILE, /* source host, tag: hostile.c's: its next mischief */
    EVENT_ICMP,    /* ref icmp_note: its host hears it */
    EVENT_RESUME,  /* tag: which pause it ends */
    EVENT_UNCLOG,  /* a clog ends */
    EVENT_PIPE,    /* source host, tag: the end of a byte pipe whose timer runs out (pipes.h) */
};

struct world_stats {
    uint64_t sent, sent_bytes, delivered, delivered_bytes, drops[FATE_COUNT];
    uint64_t duplicated, reordered, corrupted, marked;
    uint64_t icmp[ICMP_KINDS], icmp_lost; /* heard by hosts; and not */
    uint64_t events, turns, file_ops, peak_node_bytes;
};

struct world {
    struct sim_tap tap;
    uint64_t seed, now_ns;
    bool begun;         /* time 0 has come */
    uint64_t marked_ns; /* sim_mark; 0: never */
    uint32_t spies;     /* hosts that copy what others send */
    struct draw draw;
    struct heap heap;   /* what happens when */
    struct wakes wakes; /* beside that: whose node wants its turn when */
    struct slab slab;
    struct host **hosts;
    uint32_t host_count, host_cap;
    struct names names; /* of hosts */
    struct faults faults;
    struct trace trace;
    struct world_stats stats;
    /* Whom hosts tell what happens to them, and who carries what they send: not world.c's to look
     * into. */
    struct duties *duties;
    struct inspection *inspection;
    struct flight *flight;
    uint8_t train[TRAIN_MAX_BYTES]; /* what a node sends at once goes through here */
    char failure[160];
};

void world_init(struct world *w, uint64_t seed, const struct sim_tap *tap);
void world_clear(struct world *w); /* not the hosts themselves */
/* Fills source and seq: a host numbers what it causes. */
void world_push(struct world *w, struct host *source, const struct event *e);
/* The next event, of the heap or a wake; false: none is to come. `when`: only its time. */
bool world_pop(struct world *w, struct event *out);
bool world_next(const struct world *w, uint64_t *when_ns);
void world_drop_events(struct world *w); /* all that is to come, and what they hold */
/* It cannot go on; the first reason counts. `h` may be NULL. */
void world_fail(struct world *w, const struct host *h, const char *what);
/* Since time 0; 0 before. */
uint64_t world_run_ns(const struct world *w);
void world_add_host(struct world *w, struct host *h);
uint32_t world_find(const struct world *w, const char *name); /* SIM_NO_HOST */
const char *world_name(const struct world *w, uint32_t host); /* "?": there is none */
/* A line of the trace, of this moment: its time is filled in. */
void world_record(struct world *w, const struct trace_record *line);

#endif
