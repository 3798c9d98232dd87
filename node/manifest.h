/* manifest.h: what a sender offers. The file channel, one stream per transfer:
 *
 *   sender:   varint channel (1) | blob manifest
 *   receiver: blob reply {"ok": true} or {"err", "file"} | FIN            (node/reply.h)
 *   sender:   for each file in order: `s` raw bytes | tree hash root 32   (crypto/treehash.h)
 *             then FIN
 *   receiver: blob reply {"ok": true, "files": n} or {"err", "file"} | FIN
 *
 *   manifest = {"v": 1, "alg": 3 (BLAKE3), "files": [file, ...]}
 *   file     = {"n": name, "s": size, "m": mode, "t": mtime s}
 *
 * 1..TRANSFER_FILES_MAX files; the body is at most MANIFEST_MAX_BYTES. A name is one path
 * component, checked by manifest_name_ok; no two are equal. "m" is permission bits, of which 0777
 * are kept; "m" and "t" may be missing. A sender that gives up resets its half with the reason; a
 * receiver that does answers with {"err"}, FIN and STOP.
 */
#ifndef MESHD_NODE_MANIFEST_H
#define MESHD_NODE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/err.h"
#include "node/node.h"

struct manifest_file {
    char *name; /* into the manifest's names */
    uint64_t size;
    int64_t mtime_s;
    uint32_t mode;
};

struct manifest { /* zeroes = empty */
    uint32_t count;
    struct manifest_file *files;
    char *names; /* all names, NUL-terminated, one allocation */
    uint64_t total_bytes;
};

/* One path component that may be shown and created: 1..255 bytes of well-formed UTF-8 of plain
 * characters (node/utf8.h), without '/' and '\\', not "." or "..", and not of the form of our
 * temporaries (".meshd-"). */
bool manifest_name_ok(const char *name, size_t len);

/* Room for `count` files and `names_bytes` of names; the caller fills it. ERR_NOMEM. */
int manifest_init(struct manifest *m, uint32_t count, size_t names_bytes) MUST_USE;
void manifest_clear(struct manifest *m);
/* True if two files have one name. ERR_NOMEM. */
int manifest_find_double(const struct manifest *m, bool *found) MUST_USE;

/* Heap: channel number, length and body. ERR_NOMEM, ERR_FULL (more than MANIFEST_MAX_BYTES). */
int manifest_encode(const struct manifest *m, uint8_t **out, size_t *len) MUST_USE;
/* The blob's body; every bound is checked before memory is taken. ERR_PROTO, ERR_UNSUPPORTED
 * (version or hash algorithm), ERR_NOMEM. */
int manifest_decode(struct manifest *m, const uint8_t *in, size_t len) MUST_USE;

#endif
