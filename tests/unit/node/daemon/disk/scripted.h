/* scripted.h: a kernel that does with files what a test says, and keeps note of it; and a place
 * with two directories to work in. Linked into the tests of file operations whose calls it
 * replaces.
 */
#ifndef MESHD_TESTS_SCRIPTED_H
#define MESHD_TESTS_SCRIPTED_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "node/daemon/disk/fileio_run.h"

#ifndef O_TMPFILE
#define O_TMPFILE 0
#endif

extern struct script {
    bool no_tmpfile; /* a file system without O_TMPFILE */
    bool no_replace; /* one without RENAME_NOREPLACE */
    bool no_link;    /* one without hard links */
    int fsync_err;   /* of directories */
    bool tells_room; /* statvfs says that there is `room`, in pieces of 4 KiB; -1: it fails */
    long long room;
    unsigned dir_syncs, file_syncs;
    unsigned calls;   /* that change a directory */
    unsigned dies_at; /* the process is killed before its n-th */
    struct {          /* what was done, in order */
        /* 's' a file was synced, 'd' a directory, 'm' one was made, 'n' a name was given */
        char what;
        ino_t ino; /* of the directory that was synced, or in which something was made */
    } log[64];
    unsigned count;
} script;

struct place {
    char dir[64], partials[64];
    struct file_env env;
    struct file_slot slot;
    struct block_pool *pool;
};

/* The script begins anew. can_link: files without a name can get one here. */
void place_open(struct place *p, bool can_link);
/* Gives how many entries there were. */
unsigned empty(const char *dir, bool remove);
/* Whatever is left goes; of partials, nothing may be left. */
void place_close(struct place *p);
/* One operation of slot 3 on a file of this name; its error. */
int run(struct place *p, enum file_op_kind kind, const char *name, uint64_t size);
/* To the file that is open; its error. */
int write_text(struct place *p, const char *text);
/* It is there, with these bytes and what run() asked for. */
void is_file(const struct place *p, const char *name, const char *text);

/* How a file comes to be: which of these a file system allows. */
#ifdef MESHD_TEST_WRAP
enum way { UNNAMED, NO_PROC, NO_TMPFILE, LARGE, LINKED, PLACED, WAYS };
#else
enum way { UNNAMED, NO_PROC, NO_TMPFILE, LARGE, WAYS };
#endif

uint64_t size_of(enum way way);
void way_open(struct place *p, enum way way);

#endif
