/* file_more.c: POSIX has none of it. */
#include <errno.h>

#include "net/os/dir.h"

int os_file_set_direct(struct os_file f, bool on) {
    (void)f;
    return on ? ENOSYS : 0;
}

void os_file_push(struct os_file f, uint64_t offset, uint64_t len) {
    (void)f, (void)offset, (void)len;
}

int os_dir_rename_new(struct os_dir d, const char *from, const char *to) {
    (void)d, (void)from, (void)to;
    return ENOSYS;
}

bool os_dir_can_name(void) {
    return false;
}

int os_dir_unnamed(struct os_dir d, struct os_file *out) {
    (void)d;
    *out = OS_FILE_NONE;
    return ENOSYS;
}

int os_dir_name(struct os_dir d, struct os_file f, const char *name) {
    (void)d, (void)f, (void)name;
    return ENOSYS;
}
