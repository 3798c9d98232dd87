/* odirect.h: writes a large file past the page cache (O_DIRECT): what has come over the network
 * once is not read again soon, and copying it into fresh pages is what receiving costs most. Bytes
 * gather in one of two aligned buffers while a thread of the file's own writes the other, so that
 * hashing goes on meanwhile; where the file system refuses, they are written as usual. Where the
 * system has no such thing, direct_begin says no.
 *
 * An error may so show up some writes later, or in direct_end: before the file gets its name in any
 * case.
 */
#ifndef MESHD_NODE_DAEMON_DISK_ODIRECT_H
#define MESHD_NODE_DAEMON_DISK_ODIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/tree/treehash.h"
#include "net/os/file.h"

enum {
    DIRECT_MIN_BYTES =
        4 << 20, /* smaller files are likely to be looked at soon: they stay in the cache */
    DIRECT_BUFFER_BYTES = 1 << 20,
    DIRECT_FILES_MAX = 16,     /* at once; further ones are written as usual */
    DIRECT_ALIGN_BYTES = 4096, /* the largest that Linux file systems ask for on common disks */
};

struct direct_thread;

struct direct { /* all zeroes: not in use */
    bool active;
    struct os_file file;
    uint8_t *buffers[2];          /* NULL until something is written */
    unsigned filling;             /* which of them */
    size_t fill, hashed;          /* bytes in it; how many of them the hash has seen */
    uint64_t offset;              /* of the filling buffer's first byte in the file */
    struct direct_thread *thread; /* NULL: no thread could be had; the caller's writes */
};

/* For a file that is written from its beginning to its end; `file` stays the caller's and open
 * until direct_end or direct_drop. False: write it as usual. */
bool direct_begin(struct direct *d, struct os_file file);
/* The next bytes; `hash` (may be NULL) is updated with them on the way, from the buffer, where they
 * are still in the cache and pieces begin at multiples of what it likes. 0, or errno. */
int direct_write(struct direct *d, const struct os_piece *pieces, unsigned count,
                 struct treehash *hash);
/* Writes what is left, and waits for it. 0, or errno. Also drops. */
int direct_end(struct direct *d);
/* Waits for a write that is under way. Harmless when not in use. */
void direct_drop(struct direct *d);

#endif
