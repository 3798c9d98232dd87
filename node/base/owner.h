/* owner.h: whose a stream or a file operation is: a cookie that the endpoint (stream_set_owner) and
 * the queue of file operations carry, and give back with what has happened.
 *
 *   63      56 55                        0
 *   +--------+---------------------------+
 *   |  part  | the part's own reference  |
 *   +--------+---------------------------+
 *
 * The part is its number in the node's table (parts_add, from 1), the reference what that part
 * calls it: mostly a handle (node/base/handles.h), so that one which comes late finds nothing. So
 * the node finds the part, and the part its own, without looking at all of them. 0: nobody's.
 */
#ifndef MESHD_NODE_BASE_OWNER_H
#define MESHD_NODE_BASE_OWNER_H

#include <assert.h>
#include <stdint.h>

enum { OWNER_REF_BITS = 56 };

static inline uint64_t owner_pack(unsigned part, uint64_t ref) {
    assert(part < 256 && ref >> OWNER_REF_BITS == 0);
    return (uint64_t)part << OWNER_REF_BITS | ref;
}

static inline unsigned owner_part(uint64_t owner) {
    return (unsigned)(owner >> OWNER_REF_BITS);
}

static inline uint64_t owner_ref(uint64_t owner) {
    return owner & ((UINT64_C(1) << OWNER_REF_BITS) - 1);
}

#endif
