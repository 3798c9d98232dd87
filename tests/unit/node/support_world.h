/* support_world.h: a few nodes in memory: virtual time, a pipe between them that can lose and
 * delay, and a store and a disk of the simulator's per node, with faults. Deterministic for a seed.
 */
#ifndef MESHD_TESTS_SUPPORT_WORLD_H
#define MESHD_TESTS_SUPPORT_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/node.h"
#include "sim/disk/disk.h"
#include "sim/disk/store_mem.h"

enum { WORLD_NODES = 4, WORLD_LOG = 4096 };

struct world_node {
    struct world *world;
    struct node *node; /* NULL: switched off */
    struct identity identity;
    struct addr addr;
    struct store_mem *store;
    struct disk *disk;
    struct node_config cfg;
    struct env env;
    uint64_t rng;
    bool unplugged;  /* its packets go nowhere */
    bool black_hole; /* a relay: what it forwards goes nowhere */
    unsigned sent;   /* datagrams, unplugged or not */
    unsigned scrubs; /* barriers that wiped what was deleted, and succeeded */
    bool mortal; /* with the first write that fails the process is dead: nothing is heard of it */
    void (*heard)(void *ctx, const struct node_event *e); /* every event, or NULL */
    void *heard_ctx;
    struct node_event log[WORLD_LOG];
    unsigned log_count, log_seen;
};

struct world {
    uint64_t now_us, seed;
    struct draw draw;  /* what files hold */
    uint64_t delay_us; /* one way */
    unsigned loss_percent;
    unsigned hubs; /* the first so many reach everybody; the others only those. 0: everybody all */
    uint64_t direct; /* datagrams between others that were dropped for that */
    unsigned between[WORLD_NODES][WORLD_NODES]; /* sent from the first to the second */
    uint64_t disk_us;                           /* how long a file operation takes; 0: at once */
    uint64_t sync_us;         /* how long a barrier of the store takes; 0: as long as these */
    void (*heard)(void *ctx); /* packets have come in; the nodes do not know yet what was in them */
    void *heard_ctx;
    struct packet *packets, *last; /* by time */
    struct job *jobs;
    struct world_node nodes[WORLD_NODES];
    unsigned count;
    unsigned lookups; /* of names, which are "n0", "n1", ... */
};

struct world *world_new(unsigned count, uint64_t seed);
void world_free(struct world *w);
/* Runs until something is logged at node i of this kind that world_wait has not given before; NULL
 * after limit_us of virtual time. */
struct node_event *world_wait(struct world *w, unsigned i, enum node_event_kind kind,
                              uint64_t limit_us);
void world_run(struct world *w, uint64_t us);
/* Node b takes a ticket of node a; afterwards a calls b "nB" and b calls a "nA" (n0, n1, ...). */
void world_pair(struct world *w, unsigned a, unsigned b);
void world_name(unsigned i, char out[static 8]);
/* The process dies and starts again with its store and disk. */
void world_kill(struct world *w, unsigned i);
void world_start(struct world *w, unsigned i);
struct endpoint *world_endpoint(struct node *n);
/* A barrier at once: nothing of what is stored is at risk. */
void world_sync(struct world *w, unsigned i);
/* The machine dies: of what the last barrier did not cover, the first `spared` transactions
 * survive. */
void world_power_cut(struct world *w, unsigned i, unsigned spared);
bool world_dead(const struct world_node *n); /* switched off, or mortal and hit */
/* Events of a kind logged so far. */
unsigned world_count(const struct world *w, unsigned i, enum node_event_kind kind);

/* ---- disk ---- */
/* Bytes that depend on the path and `salt`. */
void disk_fill(struct world *w, unsigned i, const char *path, size_t len, unsigned salt);
/* A file of this size. */
bool disk_has(struct world *w, unsigned i, const char *path, size_t len);
unsigned disk_count(struct world *w, unsigned i); /* files and temporaries */
unsigned disk_open_count(struct world *w, unsigned i);
/* What goes wrong with it, and where (sim/disk/disk.h). */
struct disk_faults *disk_faults(struct world *w, unsigned i);

/* ---- store ---- */
/* From the n-th change on (1 = the next; commits count) every one fails as if the process had died.
 * 0: never. */
void store_die_at(struct world *w, unsigned i, unsigned n);
/* The same of a store alone. */
void mem_store_die_at(struct store_mem *s, unsigned n);
unsigned store_count(struct world *w, unsigned i, const char *table);

#endif
