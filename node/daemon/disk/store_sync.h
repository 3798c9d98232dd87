/* store_sync.h: makes what the store has committed survive a power cut (FILE_OP_STORE_SYNC), and
 * keeps the log short: on libuv's worker pool, one piece of work at a time, never on the loop.
 *
 * The worker syncs the log through a descriptor of its own and copies it into the database on a
 * connection of its own (a PASSIVE checkpoint, which holds up nobody). When all of it was copied
 * and nothing was committed meanwhile, the loop cuts the log, which costs no fsync then, but a call
 * of the system in proportion to its length (4 MiB, where it is cut: 2 ms): afterwards what was
 * deleted is in no file any more, since deleted rows are overwritten in the database. Who commits
 * faster than the worker copies leaves no such moment, and the log grows until it stops.
 */
#ifndef MESHD_NODE_DAEMON_DISK_STORE_SYNC_H
#define MESHD_NODE_DAEMON_DISK_STORE_SYNC_H

#include <stdbool.h>
#include <uv.h>

#include "node/daemon/disk/store_sqlite.h"
#include "node/disk/file_op.h"

struct store_sync;

struct store_sync_setup {
    /* A finished operation. */
    void (*done)(void *ctx, struct file_op *op);
    void (*all_done)(void *ctx); /* after it */
    void *ctx;
};

/* ERR_NOMEM, ERR_IO; says why in the log. `db` must outlive it. */
int store_sync_open(struct store_sync **out, uv_loop_t *loop, struct store_sqlite *db,
                    const struct store_sync_setup *setup, const struct log *log) MUST_USE;
/* Runs a FILE_OP_STORE_SYNC; the core has one out at a time. */
void store_sync_submit(struct store_sync *s, struct file_op *op);
/* To be called once a turn: copies the log if it has become long. */
void store_sync_turn(struct store_sync *s);
bool store_sync_busy(const struct store_sync *s);
/* It must not be busy. NULL is fine. */
void store_sync_close(struct store_sync *s);

#endif
