/* nat_mapping.h: private to nat_*.c: the table of mappings from inner to external addresses and
 * ports. A mapping dies of age when somebody looks at it, or when room is needed.
 */
#ifndef MESHD_SIM_NAT_NAT_MAPPING_H
#define MESHD_SIM_NAT_NAT_MAPPING_H

#include "sim/nat/nat_int.h"

/* What an entry of the table is about. Of a permission the bits above say whose it is. */
enum nat_key_kind { KEY_INNER = 1, KEY_OUTER, KEY_PERMIT, KEY_HOST, KEY_KIND_MASK = 7 };

struct nat_key nat_key_of(enum nat_key_kind kind, const struct addr *a, const struct addr *other,
                          enum nat_dependence on_other);
struct nat_key nat_host_key(const struct addr *a);
uint64_t nat_drawn(struct nat *n); /* another draw */

/* The living mapping that this packet from inside has, a fixed one before others; NULL: it would
 * get a new one. */
struct nat_mapping *nat_mapping_from(struct nat *n, uint64_t now_ns, const struct addr *src,
                                     const struct addr *dst);
/* The living mapping with this external address and port; NULL. */
struct nat_mapping *nat_mapping_at(struct nat *n, uint64_t now_ns, const struct addr *outer);
/* The mapping made on request for this inner address, alive or not; NULL. */
struct nat_mapping *nat_mapping_fixed(struct nat *n, const struct addr *inner);
bool nat_mapping_is_dead(const struct nat *n, const struct nat_mapping *m, uint64_t now_ns);
/* A new one like `model`. NULL: there is no room. */
struct nat_mapping *nat_mapping_add(struct nat *n, uint64_t now_ns,
                                    const struct nat_mapping *model);
void nat_mapping_drop(struct nat *n, struct nat_mapping *m);

/* Drops the dead mappings; gives the oldest of the others that may be evicted, or UINT32_MAX. */
uint32_t nat_bury(struct nat *n, uint64_t now_ns);
/* How many mappings it holds at most now. */
uint32_t nat_room(const struct nat *n, uint64_t now_ns);
bool nat_is_free(struct nat *n, const struct addr *outer, uint64_t now_ns);
/* The block that an external address and port are in; NULL where there are none. */
struct nat_block *nat_block_at(struct nat *n, const struct addr *outer);

uint32_t nat_mapping_alive(const struct nat *n, uint64_t now_ns); /* how many */
void nat_mapping_clear(struct nat *n);

#endif
