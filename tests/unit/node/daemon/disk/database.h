/* database.h: a database in a directory of its own, with its worker, and an fsync that does what a
 * test says. Linked into the tests of the store whose fsync it replaces.
 */
#ifndef MESHD_TESTS_DATABASE_H
#define MESHD_TESTS_DATABASE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <uv.h>

#include "node/daemon/disk/store_sync.h"

extern struct synced {
    int err;              /* it fails with this */
    unsigned calls, dirs; /* of which on directories */
    char last[64];        /* the file's name */
} synced;

struct place {
    char dir[64], path[128];
    struct log log;
    uv_loop_t loop;
    struct store_sqlite *db;
    struct store store;
    struct store_sync *sync;
    struct file_op op;
    unsigned done;
};

/* What a worker is set up with; ctx is the place. */
void on_done(void *ctx, struct file_op *op);
void on_all_done(void *ctx);
/* The store and its worker; run: until the worker has nothing to do. */
void start(struct place *p);
void run(struct place *p);
void stop(struct place *p);
/* A new one, started and run. */
struct place *open_place(void);
void close_place(struct place *p);
/* In the table "t". */
int put(struct place *p, const char *key, const char *value);
bool has(struct place *p, const char *key);
/* A barrier to its end; its error. */
int barrier(struct place *p, uint64_t flags);
/* Some file of the directory has these bytes. */
bool on_disk(struct place *p, const char *bytes);
/* Of the write-ahead log. */
off_t log_bytes(struct place *p);
/* No file may grow beyond `bytes`, as on a full disk. */
void limit_files(rlim_t bytes);

#endif
