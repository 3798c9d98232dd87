/* scan.h: walks over MessagePack (github.com/msgpack/msgpack, spec.md) in any pieces, without
 * allocating, against bounds: what comes from outside passes here before msgpack-c sees it, which
 * allocates arrays as large as their header says before it has seen one element.
 */
#ifndef MESHD_NODE_API_RPC_SCAN_H
#define MESHD_NODE_API_RPC_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum scan_kind {
    SCAN_UINT, /* also a signed one that is not negative */
    SCAN_NEGATIVE,
    SCAN_STR,
    SCAN_BIN,
    SCAN_EXT,
    SCAN_ARRAY,
    SCAN_MAP,
    SCAN_OTHER, /* nil, booleans, floats */
};

struct scan_head { /* of one value */
    enum scan_kind kind;
    unsigned size;     /* of the header itself, in bytes */
    uint64_t number;   /* an integer, in two's complement */
    uint64_t body;     /* bytes that follow the header; not those of an integer or float */
    uint64_t children; /* values that follow it: elements, keys and values */
};
enum { SCAN_HEAD_MAX = 9 };

/* 1: *h is filled. 0: len bytes are not the whole header (1 or more; kind and size are filled in).
 * ERR_PROTO: there is no such format. */
int scan_head(const uint8_t *p, size_t len, struct scan_head *h) MUST_USE;

enum { SCAN_DEPTH_MAX = 8 };
struct scan_rules {
    size_t bytes;    /* of the whole value */
    size_t values;   /* itself and all that are in it */
    unsigned depth;  /* containers open at once, SCAN_DEPTH_MAX at most */
    uint64_t pairs;  /* in one map */
    bool extensions; /* allowed */
};

struct scan {
    size_t at; /* bytes walked over so far */
    size_t values;
    unsigned depth;
    uint64_t left[SCAN_DEPTH_MAX + 1]; /* values missing at each depth */
};

void scan_begin(struct scan *s);
/* Walks on over the value that begins at p, of which there are len bytes by now. 1: it is complete,
 * s->at is its size. 0: more bytes are needed. ERR_FULL: against the rules. ERR_PROTO: no
 * MessagePack, or an extension. Asked again without new bytes, it says the same. */
int scan_on(struct scan *s, const struct scan_rules *rules, const uint8_t *p, size_t len) MUST_USE;

#endif
