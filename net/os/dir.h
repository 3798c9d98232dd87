/* dir.h: directories by handle, and names in them. A name is one component, relative to a directory
 * that is held open: nobody who moves things about meanwhile can lead it elsewhere. Every call
 * gives 0 or an errno.
 */
#ifndef MESHD_NET_OS_DIR_H
#define MESHD_NET_OS_DIR_H

#include "net/os/file.h"

struct os_dir {
    int fd; /* the system's affair */
};
#define OS_DIR_NONE ((struct os_dir){-1})

static inline bool os_dir_is_open(struct os_dir d) {
    return d.fd >= 0;
}

int os_dir_open(struct os_dir *out, const char *path) MUST_USE;
/* A link of that name is not followed. */
int os_dir_open_in(struct os_dir *out, struct os_dir parent, const char *name) MUST_USE;
void os_dir_close(struct os_dir *d);                                 /* idempotent */
int os_dir_make(const char *path, unsigned mode) MUST_USE;           /* less the umask */
int os_dir_make_in(struct os_dir parent, const char *name) MUST_USE; /* 0700 */
int os_dir_info(struct os_dir d, struct os_info *out) MUST_USE;
/* Names made in it survive a power cut. A file system that has no such thing: EINVAL. */
int os_dir_sync(struct os_dir d) MUST_USE;
/* Whether we may make names in it: 0, or why not. */
int os_dir_may_write(const char *path) MUST_USE;
/* Bytes free for us on its file system; 0: nothing is known of it. */
uint64_t os_dir_free_bytes(const char *path);
/* The path without links, "." and "..", at most `cap` with the NUL. */
int os_dir_real_path(const char *path, char *out, size_t cap) MUST_USE;

/* ---- names in it ---- */
int os_dir_look(struct os_dir d, const char *name,
                struct os_info *out) MUST_USE; /* not through links */
int os_dir_file(struct os_dir d, const char *name, unsigned how, struct os_file *out) MUST_USE;
int os_dir_remove(struct os_dir d, const char *name) MUST_USE;
int os_dir_rename(struct os_dir d, const char *from, const char *to) MUST_USE; /* in its place */
/* Replacing nothing (EEXIST). ENOSYS or EINVAL: this system, or file system, cannot do that. */
int os_dir_rename_new(struct os_dir d, const char *from, const char *to) MUST_USE;
int os_dir_link(struct os_dir d, const char *from, const char *to) MUST_USE; /* a second name */
/* Symbolic links, as a short text under a name. */
int os_dir_note(struct os_dir d, const char *name, const char *text) MUST_USE;
/* EINVAL: it is none. Cut at cap, with the NUL. */
int os_dir_read_note(struct os_dir d, const char *name, char *out, size_t cap) MUST_USE;
/* Calls `each` with every name but "." and "..", in no order. Names may be removed meanwhile. */
int os_dir_each(struct os_dir d, void (*each)(void *ctx, const char *name), void *ctx) MUST_USE;

/* ---- files without a name ---- */
/* Whether one can be given a name later, on this system. */
bool os_dir_can_name(void);
/* For reading and writing; gone when it is closed. ENOSYS, EOPNOTSUPP: not here. */
int os_dir_unnamed(struct os_dir d, struct os_file *out) MUST_USE;
/* Its first name, replacing nothing. */
int os_dir_name(struct os_dir d, struct os_file f, const char *name) MUST_USE;

#endif
