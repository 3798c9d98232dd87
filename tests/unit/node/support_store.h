/* support_store.h: a store in memory (sim/disk/store_mem.h) whose process can die at the n-th change and whose
 * power can be cut. */
#ifndef MESHD_TESTS_SUPPORT_STORE_H
#define MESHD_TESTS_SUPPORT_STORE_H

#include <stdbool.h>

#include "node/base/store.h"
#include "node/disk/file_op.h"
#include "sim/disk/store_mem.h"

/* From the n-th change on (1 = the next; commits count) every one fails. 0: never. */
void mem_store_die_at(struct store_mem *s, unsigned n);
unsigned mem_store_count(const struct store_mem *s, const char *table);

#endif
