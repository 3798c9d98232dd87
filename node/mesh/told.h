/* told.h: peers tell each other by which relays they can be reached, inside their session and in
 * nothing else: a RECORD of kind 2 (docs/PROTOCOL.md §7).
 *
 *   02 | 01 HOMES sequence u32 | count u8 (0..4) | count times: round trip u16, ms | relay address
 *   02 | 02 HEARD sequence u32
 *
 * Repeated until it was heard: after TOLD_FIRST_US, twice as long each time, TOLD_TRIES in all, and
 * once more with each session. A sequence that is not newer than the last one of this session is
 * answered and not looked at.
 */
#ifndef MESHD_NODE_MESH_TOLD_H
#define MESHD_NODE_MESH_TOLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/relay_addr.h"

enum { TOLD_KIND = 2, TOLD_BYTES_MAX = 2 + 4 + 1 + RELAY_SET_MAX * (2 + RELAY_ADDR_WIRE_MAX) };

enum told_op { TOLD_HOMES = 1, TOLD_HEARD = 2 };

struct mesh_told {
    enum told_op op;
    uint32_t sequence;
    struct relay_set homes;
    uint16_t rtt_ms[RELAY_SET_MAX]; /* of the teller's to each; 0: not measured */
};

/* Homes that find no room in `cap` are left out. Returns the size. */
size_t told_write(const struct mesh_told *t, uint8_t *out, size_t cap);
/* False: not one of these, or not in its one form. */
bool told_read(struct mesh_told *t, const uint8_t *data, size_t len);

#endif
