/* nat_table.h: a NAT's memory: a hash table from keys (who inside, which port outside, who may come
 * in, how many a host has) to numbers, chained in one array.
 */
#ifndef MESHD_SIM_NAT_NAT_TABLE_H
#define MESHD_SIM_NAT_NAT_TABLE_H

#include <stdbool.h>
#include <stdint.h>

struct nat_key { /* what a table is asked for */
    uint8_t ip[16], other_ip[16];
    uint16_t port, other_port;
    uint32_t kind; /* tables share one hash: enum nat_key_kind; of a permission also whose */
};

struct nat_entry {
    struct nat_key key;
    uint32_t next;  /* in its bucket; index + 1 */
    uint32_t value; /* inner, outer: the mapping. permit: unused. host: mappings it has */
    uint64_t last_ns;
};

struct nat_table { /* chained hash of entries in an array; freed ones are chained by `next` */
    struct nat_entry *entries;
    uint32_t *buckets;
    uint32_t count, cap, free_list, used;
};

uint32_t nat_hash(const struct nat_key *k);
void nat_table_clear(struct nat_table *t);
/* NULL if it is not there. Valid until the next put. */
struct nat_entry *nat_table_find(const struct nat_table *t, const struct nat_key *k);
/* The entry of this key, made if need be. Aborts when out of memory. */
struct nat_entry *nat_table_put(struct nat_table *t, const struct nat_key *k);
void nat_table_take(struct nat_table *t, const struct nat_key *k);
/* Takes all of which `stale` says so. */
void nat_table_sweep(struct nat_table *t,
                     bool (*stale)(const void *ctx, const struct nat_key *k, uint64_t last_ns),
                     const void *ctx);

#endif
