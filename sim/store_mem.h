/* store_mem.h: a node's store (node/store.h) in memory: sorted tables that outlive the node, as a
 * disk does. Faults: full, failing from the n-th write on, and frozen (writes are lost without a
 * word: the process is already dead).
 */
#ifndef MESHD_SIM_STORE_MEM_H
#define MESHD_SIM_STORE_MEM_H

#include <stdbool.h>
#include <stdint.h>

#include "node/store.h"

struct store_mem;

struct store_mem *store_mem_new(void); /* NULL: no memory */
void store_mem_free(struct store_mem *m);
/* The face to hand to a node; valid until store_mem_free. */
struct store store_mem_face(struct store_mem *m);
void store_mem_freeze(struct store_mem *m, bool frozen);
/* The write number `n` from now (0: the next) and all later ones give `err`; err 0 heals. */
void store_mem_fail(struct store_mem *m, uint64_t n, int err);
void store_mem_wipe(struct store_mem *m);
uint64_t store_mem_count(const struct store_mem *m, const char *table); /* NULL: all tables */
uint64_t store_mem_writes(const struct store_mem *m);

#endif
