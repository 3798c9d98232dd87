/* manifest_out.h: writes a manifest (node/file/manifest/manifest.h) for its stream, a piece at a
 * time: the channel's number, the blob's length and the body, of which never more than one piece is
 * in memory.
 */
#ifndef MESHD_NODE_FILE_MANIFEST_MANIFEST_OUT_H
#define MESHD_NODE_FILE_MANIFEST_MANIFEST_OUT_H

#include "node/file/manifest/manifest.h"

enum { MANIFEST_PIECE_BYTES = 8192 };

struct manifest_out { /* zeroes = at the beginning */
    bool begun;
    uint32_t next;  /* the first file that is not in a piece yet */
    size_t len, at; /* of the piece; how much of it is gone */
    uint8_t piece[MANIFEST_PIECE_BYTES];
};

/* Bytes of a body but for its files, and of one file in it. */
size_t manifest_head_bytes(uint32_t count);
size_t manifest_file_bytes(const struct manifest_file *f);

/* What is to be sent next: up to MANIFEST_PIECE_BYTES at *p; 0: everything is gone. `body`: bytes
 * of the whole body, as the two above add up to. Valid until the next call. */
size_t manifest_out_next(struct manifest_out *out, const struct manifest *m, uint64_t body,
                         const uint8_t **p);
/* So many of them are gone. */
void manifest_out_gone(struct manifest_out *out, size_t len);

#endif
