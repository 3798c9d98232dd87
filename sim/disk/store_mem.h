/* store_mem.h: a node's store (node/base/store.h) in memory: sorted tables that outlive the node,
 * as a disk does. Faults: full, failing from the n-th write on, frozen (writes are lost without a
 * word: the process is already dead), a barrier that fails, and a power cut, which takes what no
 * barrier has made safe, in whole transactions.
 */
#ifndef MESHD_SIM_DISK_STORE_MEM_H
#define MESHD_SIM_DISK_STORE_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/store.h"

struct store_mem;

struct store_mem *store_mem_new(void); /* NULL: no memory */
void store_mem_free(struct store_mem *m);
/* The face to hand to a node; valid until store_mem_free. */
struct store store_mem_face(struct store_mem *m);
/* Freezing also rolls back what is not committed. */
void store_mem_freeze(struct store_mem *m, bool frozen);
bool store_mem_fails(const struct store_mem *m); /* it may, now: see below */
/* The write number `n` from now (0: the next) and all later ones give `err`; err 0 heals. Puts,
 * deletes and commits count as writes. */
void store_mem_fail(struct store_mem *m, uint64_t n, int err);
bool store_mem_failed(const struct store_mem *m); /* one did, since store_mem_fail */
/* At the write number `n` from now the process dies: that one and all later ones are lost, until
 * store_mem_freeze. UINT64_MAX: it does not, after all. */
void store_mem_die(struct store_mem *m, uint64_t n);
bool store_mem_died(const struct store_mem *m); /* it has come to that */
void store_mem_wipe(struct store_mem *m);
uint64_t store_mem_count(const struct store_mem *m, const char *table); /* NULL: all tables */
uint64_t store_mem_writes(const struct store_mem *m);

/* A barrier (FILE_OP_STORE_SYNC): begin when it is handed out, end when it is done, which gives its
 * error. */
uint64_t store_mem_sync_begin(const struct store_mem *m);
int store_mem_sync_end(struct store_mem *m, uint64_t token) MUST_USE;
/* The barrier number n from now (0: the next) and all later ones give `err`; err 0 heals. */
void store_mem_fail_sync(struct store_mem *m, uint64_t n, int err);
uint64_t store_mem_syncs(const struct store_mem *m);
/* Of the transactions since the last barrier the first `spared` survive, the others are gone. */
void store_mem_power_cut(struct store_mem *m, uint64_t spared);
uint64_t store_mem_at_risk(const struct store_mem *m); /* how many a power cut can take */

#endif
