/* store_sqlite.h: struct store on SQLite: STATE/meshd.db, one table kv(tbl, k, v) ordered by (tbl,
 * k).
 *
 * WAL with synchronous = NORMAL: a commit is a write into the log, without an fsync, and survives
 * the death of the process at any point. A power cut may take the last ones, never the file's
 * consistency; the barrier (node/daemon/disk/store_sync) puts an end to that. The log is copied
 * into the database by a worker there too, never here. The database is ours alone while it is open
 * (VFS "unix-excl"): another process that tries is told that it is locked, and can never make us
 * wait. Deleted rows are overwritten (secure_delete), since some hold secrets.
 *
 * One thing may block: the first commit after the log was cut syncs its header (SQLite's rule),
 * once in a few MiB.
 */
#ifndef MESHD_NODE_DAEMON_DISK_STORE_SQLITE_H
#define MESHD_NODE_DAEMON_DISK_STORE_SQLITE_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/store.h"
#include "node/daemon/os/log.h"

struct store_sqlite;

/* Opens or makes the database at `path`. Says why not in the log: ERR_PERM, ERR_DISK, ERR_IO,
 * ERR_NOMEM, ERR_FORMAT (made by a newer meshd, or no database). What it finds survives a power
 * cut. *store stays valid until store_sqlite_close. */
int store_sqlite_open(struct store_sqlite **out, struct store *store, const char *path,
                      const struct log *log) MUST_USE;
void store_sqlite_close(struct store_sqlite *s); /* NULL is fine */

/* ---- for node/daemon/disk/store_sync ---- */
const char *store_sqlite_vfs(void); /* NULL: SQLite's default */
/* What was written last stays in the memory in which SQLite makes a row: another row takes its
 * place there. Before a barrier that scrubs. */
void store_sqlite_forget(struct store_sqlite *s);
/* If this result of SQLite's means it: what to do now, in the log, once. */
void store_sqlite_say_damaged(struct store_sqlite *s, int rc);
/* SQLite calls damaged what the disk could not read; whether that was it is known to the database's
 * file and to its log. The errno, or 0. */
struct sqlite3;
int store_sqlite_read_errno(struct sqlite3 *db);
const char *store_sqlite_path(const struct store_sqlite *s);
/* Pages in the log after the last commit (4 KiB each), and commits ever made: if that has not
 * changed since a checkpoint that copied everything, the log can be cut. */
int store_sqlite_log_frames(const struct store_sqlite *s);
uint64_t store_sqlite_commits(const struct store_sqlite *s);
/* The log becomes empty. Everything in it must have been copied: then it does not wait for a
 * disk. */
bool store_sqlite_cut_log(struct store_sqlite *s);

#endif
