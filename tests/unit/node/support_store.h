/* support_store.h: a store in memory whose process can die at the n-th change. */
#ifndef MESHD_TESTS_SUPPORT_STORE_H
#define MESHD_TESTS_SUPPORT_STORE_H

#include <stdbool.h>

#include "node/store.h"

struct mem_store;
struct mem_store *mem_store_new(void);
void mem_store_free(struct mem_store *s);
struct store mem_store_face(struct mem_store *s);
void mem_store_die_at(struct mem_store *s, unsigned n);
unsigned mem_store_count(const struct mem_store *s, const char *table);

#endif
