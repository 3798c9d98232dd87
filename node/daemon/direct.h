/* direct.h: writes a large file past the page cache (O_DIRECT): what has come over the network once is not read again
 * soon, and copying it into fresh pages is what receiving costs most. Bytes gather in an aligned buffer and leave in
 * whole buffers; where the file system refuses, they are written as usual. Linux; elsewhere direct_begin says no.
 *
 * An error may so show up one write later, or in direct_end: before the file gets its name in any case.
 */
#ifndef MESHD_NODE_DAEMON_DIRECT_H
#define MESHD_NODE_DAEMON_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    DIRECT_MIN_BYTES =
        4 << 20, /* smaller files are likely to be looked at soon: they stay in the cache */
    DIRECT_BUFFER_BYTES = 1 << 20,
    DIRECT_ALIGN_BYTES = 4096, /* the largest that Linux file systems ask for on common disks */
};

struct direct { /* all zeroes: not in use */
    uint8_t *buffer;
    size_t fill;
    uint64_t offset; /* of the buffer's first byte in the file */
    bool refused;    /* the file system does not do it: the buffer is written as usual */
};

/* For a file that is written from its beginning to its end. False: write it as usual. */
bool direct_begin(struct direct *d, int fd);
/* The next bytes. 0, or errno. */
int direct_write(struct direct *d, int fd, const uint8_t *data, size_t len);
/* Writes what is left. 0, or errno. */
int direct_end(struct direct *d, int fd);
void direct_drop(struct direct *d);

#endif
