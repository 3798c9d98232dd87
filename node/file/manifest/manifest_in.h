/* manifest_in.h: takes a manifest (node/file/manifest/manifest.h) apart while its bytes come, in
 * any pieces: the work is in proportion to the bytes given, and nothing is kept but the files
 * themselves. So a peer that sends the largest manifest costs the loop a step for each piece, and
 * never the whole.
 *
 * MessagePack is read as a sequence of tokens against a stack of what is open; there is no
 * recursion, and no count is believed before as many elements have come. Maps have at most
 * PACK_KEYS_MAX pairs, MANIFEST_DEPTH containers are open at once. Unknown keys are passed over.
 * "v" and "alg" are looked at when they come: a later version should send them first.
 */
#ifndef MESHD_NODE_FILE_MANIFEST_MANIFEST_IN_H
#define MESHD_NODE_FILE_MANIFEST_MANIFEST_IN_H

#include "node/api/rpc/scan.h"
#include "node/file/manifest/manifest.h"

enum {
    MANIFEST_DEPTH = 4,            /* map, array, map, and one more for later versions */
    MANIFEST_TEXT_MAX_BYTES = 255, /* of a string that is looked at: a name or a key */
};

struct manifest_level { /* a container that is open */
    uint8_t kind;       /* enum manifest_place */
    bool map, at_value; /* of a map: its key has come */
    uint8_t key;        /* which one of the known */
    uint8_t seen;       /* the known ones that have come, as bits */
    uint32_t left;      /* elements or pairs */
};

struct manifest_in { /* caller's */
    struct manifest manifest;
    struct manifest_level open[MANIFEST_DEPTH];
    unsigned depth;
    bool whole;
    /* the token that is being read: its first byte, and the big-endian bytes that belong to it */
    uint8_t head[SCAN_HEAD_MAX];
    uint8_t head_len, head_need;
    uint64_t body_left; /* bytes of a string or binary still to come */
    bool in_body;
    size_t text_len; /* the string's; only its first bytes are kept */
    char text[MANIFEST_TEXT_MAX_BYTES + 1];
    /* the file that is being read */
    struct manifest_file file;
    char name[MANIFEST_TEXT_MAX_BYTES + 1];
    size_t name_len;
};

void manifest_in_init(struct manifest_in *in, const uint8_t key[static MANIFEST_KEY_BYTES]);
void manifest_in_clear(struct manifest_in *in);
/* The body's next bytes. ERR_PROTO (also for bytes after the end), ERR_UNSUPPORTED (version or hash
 * algorithm), ERR_NOMEM; nothing may be fed after an error. */
int manifest_in_feed(struct manifest_in *in, const uint8_t *p, size_t len) MUST_USE;
/* The body has ended: gives the manifest away. ERR_PROTO: it was not whole. */
int manifest_in_take(struct manifest_in *in, struct manifest *out) MUST_USE;

#endif
