/* file_more.c: what Linux has for files beyond POSIX: O_DIRECT, early write-out, files without a
 * name, and a rename that replaces nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "net/os/dir.h"

int os_file_set_direct(struct os_file f, bool on) {
    const int flags = fcntl(f.fd, F_GETFL);
    if (flags < 0 || fcntl(f.fd, F_SETFL, on ? flags | O_DIRECT : flags & ~O_DIRECT) != 0)
        return errno;
    return 0;
}

void os_file_push(struct os_file f, uint64_t offset, uint64_t len) {
    (void)sync_file_range(f.fd, (off_t)offset, (off_t)len, SYNC_FILE_RANGE_WRITE);
}

int os_dir_rename_new(struct os_dir d, const char *from, const char *to) {
    return renameat2(d.fd, from, d.fd, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

/* The name is given by way of /proc: the way of open(2), under O_TMPFILE. */
bool os_dir_can_name(void) {
    return access("/proc/self/fd", X_OK) == 0;
}

int os_dir_unnamed(struct os_dir d, struct os_file *out) {
    out->fd = openat(d.fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    return out->fd >= 0 ? 0 : errno;
}

int os_dir_name(struct os_dir d, struct os_file f, const char *name) {
    char self[32];
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", f.fd);
    return linkat(AT_FDCWD, self, d.fd, name, AT_SYMLINK_FOLLOW) == 0 ? 0 : errno;
}
