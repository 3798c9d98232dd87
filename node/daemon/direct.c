#include "node/daemon/direct.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool set_direct(int fd, bool on) {
#ifdef O_DIRECT
    const int flags = fcntl(fd, F_GETFL);
    return flags >= 0 && fcntl(fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) == 0;
#else
    (void)fd;
    return !on;
#endif
}

bool direct_begin(struct direct *d, int fd) {
    void *buffer;
    *d = (struct direct){0};
    if (!set_direct(fd, true))
        return false;
    if (posix_memalign(&buffer, DIRECT_ALIGN_BYTES, DIRECT_BUFFER_BYTES) != 0) {
        (void)set_direct(fd, false);
        return false;
    }
    d->buffer = buffer;
    return true;
}

/* A short write may leave an offset that is not aligned, and the next one fails with EINVAL: then the rest goes as usual. */
static int put(struct direct *d, int fd, size_t len) {
    size_t done = 0;
    while (done < len) {
        const ssize_t n = pwrite(fd, d->buffer + done, len - done, (off_t)(d->offset + done));
        if (n > 0) {
            done += (size_t)n;
        } else if (n < 0 && errno == EINVAL && !d->refused) {
            d->refused = true;
            if (!set_direct(fd, false))
                return EINVAL;
        } else if (n == 0 || errno != EINTR) {
            return n == 0 ? EIO : errno;
        }
    }
    d->offset += len;
    memmove(d->buffer, d->buffer + len, d->fill - len);
    d->fill -= len;
    return 0;
}

int direct_write(struct direct *d, int fd, const uint8_t *data, size_t len) {
    while (len > 0) {
        const size_t room = DIRECT_BUFFER_BYTES - d->fill, n = len < room ? len : room;
        memcpy(d->buffer + d->fill, data, n);
        d->fill += n;
        data += n;
        len -= n;
        const int err = d->fill == DIRECT_BUFFER_BYTES ? put(d, fd, d->fill) : 0;
        if (err)
            return err;
    }
    return 0;
}

int direct_end(struct direct *d, int fd) {
    if (!d->buffer)
        return 0;
    int err = put(d, fd, d->fill - d->fill % DIRECT_ALIGN_BYTES);
    if (!err && d->fill > 0) { /* the last bytes of a file fill no page */
        if (!d->refused && !set_direct(fd, false))
            err = errno;
        d->refused = true;
        if (!err)
            err = put(d, fd, d->fill);
    }
    direct_drop(d);
    return err;
}

void direct_drop(struct direct *d) {
    free(d->buffer);
    *d = (struct direct){0};
}
