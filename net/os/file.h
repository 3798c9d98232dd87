/* file.h: files by handle, as the system gives them: what each call is for is the caller's to say,
 * and nothing here asks twice or chooses. Every call gives 0 or the errno that says why not,
 * whatever the system's own word for it. Interrupted calls are made again. Directories:
 * net/os/dir.h.
 */
#ifndef MESHD_NET_OS_FILE_H
#define MESHD_NET_OS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

struct os_file {
    int fd; /* the system's affair */
};
#define OS_FILE_NONE ((struct os_file){-1})
#define OS_FILE_STDOUT ((struct os_file){1})

static inline bool os_file_is_open(struct os_file f) {
    return f.fd >= 0;
}

enum os_kind { OS_REGULAR, OS_DIRECTORY, OS_LINK, OS_PIPE, OS_SOCKET, OS_OTHER };

struct os_info {
    enum os_kind kind;
    uint64_t size;
    int64_t mtime_s;
    uint32_t mtime_ns;
    unsigned mode;  /* permission bits, 07777 */
    uint64_t owner; /* as process_user() names users */
};

enum os_open { /* bits; files are closed on exec, and no terminal becomes ours */
               OS_READ = 1,
               OS_WRITE = 2,
               OS_CREATE = 4,    /* made with 0600 if missing */
               OS_NEW = 8,       /* EEXIST if there is anything of that name */
               OS_NOFOLLOW = 16, /* a symbolic link is an error (ELOOP) */
               OS_NOWAIT = 32,   /* a pipe nobody writes into does not hold us up */
};

int os_file_open(struct os_file *out, const char *path, unsigned how) MUST_USE;
/* A new one for reading and writing, 0600, whose name nobody can guess: the six X that `path` ends
 * with are replaced. */
int os_file_temporary(struct os_file *out, char *path) MUST_USE;
/* A path by which other processes of this user can open it, whether it has a name or not, as long
 * as it is open here. ENOSYS: not on this system. At most `cap` bytes, with the NUL. */
int os_file_share(struct os_file *f, char *path, size_t cap) MUST_USE;
/* Idempotent. The error is that of bytes written earlier, on some file systems. */
int os_file_close(struct os_file *f);
int os_file_info(struct os_file f, struct os_info *out) MUST_USE;
/* Of a path; a link is looked at itself, or followed. */
int os_path_info(const char *path, bool follow, struct os_info *out) MUST_USE;

int os_path_remove(const char *path) MUST_USE;
/* Whether we may write it: 0, or why not. */
int os_path_may_write(const char *path) MUST_USE;

/* From where the last read ended, until `cap` bytes or the end have come. */
int os_file_read(struct os_file f, void *out, size_t cap, size_t *len) MUST_USE;
/* All of it. */
int os_file_write(struct os_file f, const void *bytes, size_t len) MUST_USE;

struct os_piece {
    void *bytes;
    size_t len;
};
enum { OS_PIECES_MAX = 16 };
/* Fills count pieces from `offset` on; *done is less than they hold only at the end of the file. */
int os_file_read_at(struct os_file f, const struct os_piece *pieces, unsigned count,
                    uint64_t offset, size_t *done) MUST_USE;
/* Writes all of them. */
int os_file_write_at(struct os_file f, const struct os_piece *pieces, unsigned count,
                     uint64_t offset) MUST_USE;
/* One write, which may take less: *done. */
int os_file_put_at(struct os_file f, const void *bytes, size_t len, uint64_t offset,
                   size_t *done) MUST_USE;
/* Whether there is a byte at `offset`. */
bool os_file_has_byte(struct os_file f, uint64_t offset);

int os_file_set_size(struct os_file f, uint64_t bytes) MUST_USE;
int os_file_set_mode(struct os_file f, unsigned mode);
int os_file_set_mtime(struct os_file f, int64_t s, uint32_t ns);
/* As long as the file is open, or the process lives: EWOULDBLOCK if another has it. */
int os_file_lock(struct os_file f) MUST_USE;
/* What was written survives a power cut as far as the system can see to it. */
int os_file_sync(struct os_file f) MUST_USE;
/* The same, past a cache in the drive where the system has a call for that. */
int os_file_sync_drive(struct os_file f) MUST_USE;

/* Hints, which may do nothing: it is read from its beginning to its end; nobody reads it soon, and
 * its pages need not stay in memory; those bytes may go to the disk now. */
void os_file_will_read(struct os_file f);
void os_file_will_not_read(struct os_file f);
void os_file_push(struct os_file f, uint64_t offset, uint64_t len);
/* Past the page cache, where the system has such a thing (else ENOSYS): addresses, offsets and
 * lengths of writes are then multiples of what its file system asks for, or fail with EINVAL. */
int os_file_set_direct(struct os_file f, bool on) MUST_USE;

#endif
