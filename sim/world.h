/* world.h: private to sim/: the world's insides, shared by sim.c (time), host.c (nodes), wire.c
 * (datagrams), act.c (what hosts are told to do) and metrics.c (what is read off).
 */
#ifndef MESHD_SIM_WORLD_H
#define MESHD_SIM_WORLD_H

#include "net/limits.h"
#include "sim/draw.h"
#include "sim/heap.h"
#include "sim/ledger.h"
#include "sim/sim.h"
#include "sim/slab.h"

/* The internal clock's values: pairing happens before, the run at and after WORLD_START_NS. */
#define WORLD_SETUP_NS (1 * SIM_S)
#define WORLD_START_NS (100000 * SIM_S)
#define WORLD_WALL_US UINT64_C(1767225600000000) /* 2026-01-01: what nodes are told at clock 0 */
#define WORLD_IDEAL_DELAY_NS (1 * SIM_MS)        /* of every packet before time 0 */

enum {
    WORLD_PORT = 7700,
    WORLD_TURNS_MAX = 1000000, /* of one host at one instant: then it is a livelock */
};
#define WORLD_DOWNLOADS "/inbox"

enum event_kind {
    EVENT_ARRIVE,  /* ref packet: at the receiver's access link */
    EVENT_DELIVER, /* ref packet: at the receiver */
    EVENT_WAKE,    /* tag host */
    EVENT_FILE,    /* ref file_op, source host, tag life */
};

struct packet {
    uint32_t source, len;
    struct addr from, to;
    uint8_t data[];
};

enum entity { ENTITY_UP, ENTITY_DOWN, ENTITY_DISK, ENTITY_NODE, ENTITY_IDENTITY, ENTITIES };

struct host {
    struct sim *sim;
    char name[SIM_NAME_MAX + 1];
    uint32_t index;
    struct node *node; /* NULL: not running */
    struct identity identity;
    enum cc_kind cc;
    bool ipv6;
    struct store_mem *store;
    struct disk *disk;
    struct link up, down;
    struct addr addr;
    struct draw_stream rng;
    uint32_t life;           /* counts starts */
    uint32_t seq;            /* numbers events for the heap */
    uint64_t wake_ns;        /* the earliest wake in the heap; LEDGER_NEVER: none */
    uint64_t turn_ns, turns; /* livelock guard */
    struct file_op **ops;    /* handed to the disk */
    uint32_t op_count, op_cap;
    struct endpoint_counters past; /* of earlier lives */
};

struct world_stats {
    uint64_t sent, sent_bytes, delivered, delivered_bytes, drops[FATE_COUNT];
    uint64_t duplicated, reordered, corrupted;
    uint64_t events, turns, file_ops;
};

struct world_cut {
    uint32_t a, b;
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
    uint32_t *owners; /* address number -> host + 1 */
    uint32_t addr_count, addr_cap;
    struct world_cut *cuts;
    uint32_t cut_count;
    struct trace trace;
    struct ledger ledger;
    struct world_stats stats;
    uint8_t train[TRAIN_MAX_BYTES];
    char failure[160];
};

/* sim.c */
void world_push(struct sim *s, struct host *source,
                const struct event *e); /* fills source and seq */
void world_fail(struct sim *s, const struct host *h, const char *what);
static inline uint64_t world_now_us(const struct sim *s) {
    return s->now_ns / 1000;
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

/* wire.c */
void wire_new_address(struct sim *s, struct host *h);
struct host *wire_owner(const struct sim *s, const struct addr *a);
void wire_send(struct host *h, const struct train *t);
void wire_arrive(struct sim *s, struct packet *p);
void wire_deliver(struct sim *s, struct packet *p);

#endif
