/* manifest.h: what a sender offers: the files' names, sizes, modes and times. Taken apart by
 * node/file/manifest/manifest_in, written by node/file/manifest/manifest_out, both in steps. The
 * file channel, one stream per transfer:
 *
 *   sender:   varint channel (1) | blob manifest
 *   receiver: blob reply {"ok": true} or {"err", "file"} | FIN            (node/channel/reply.h)
 *   sender:   for each file in order: `s` raw bytes | tree hash root 32   (crypto/tree/treehash.h)
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
 *
 * Files are added one by one, each at a cost that does not depend on how many there are: names lie
 * in chunks that never move, and a table of their hashes, keyed so that nobody can choose names
 * that collide, tells a name that is there already.
 */
#ifndef MESHD_NODE_FILE_MANIFEST_MANIFEST_H
#define MESHD_NODE_FILE_MANIFEST_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/base/limits.h"

struct manifest_file {
    const char *name; /* in the manifest's names */
    uint64_t size;
    int64_t mtime_s;
    uint32_t mode;
};

enum { MANIFEST_KEY_BYTES = 16 };

struct manifest_names;
struct manifest_slot;
struct manifest { /* zeroes = empty */
    uint32_t count, cap;
    struct manifest_file *files;
    uint64_t total_bytes; /* all sizes together: whoever sets a size adds it */
    struct manifest_names *names;
    struct manifest_slot *table; /* of the names' hashes; NULL once all are there */
    uint32_t table_cap;
    size_t held_bytes; /* memory of all this */
    uint8_t key[MANIFEST_KEY_BYTES];
};

/* One path component that may be shown and created: 1..255 bytes of well-formed UTF-8 of plain
 * characters (node/api/utf8.h), without '/' and '\\', not "." or "..", and not of the form of our
 * temporaries (".meshd-"). */
bool manifest_name_ok(const char *name, size_t len);

/* `key`: random, secret. */
void manifest_init(struct manifest *m, const uint8_t key[static MANIFEST_KEY_BYTES]);
void manifest_clear(struct manifest *m);
/* One more file, with nothing but its name: m->files[m->count - 1]. len <= FILE_NAME_MAX_BYTES.
 * ERR_EXISTS (a file of that name is there), ERR_NOMEM, ERR_FULL (TRANSFER_FILES_MAX). */
int manifest_add(struct manifest *m, const char *name, size_t len) MUST_USE;
/* All files are there: what only adding needs goes. */
void manifest_complete(struct manifest *m);
/* Keeps the first `keep` files and gives the others' memory back; without memory to do it, all.
 * What pointed to names does not any more. */
void manifest_trim(struct manifest *m, uint32_t keep);

#endif
