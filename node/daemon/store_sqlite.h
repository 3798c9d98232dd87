/* store_sqlite.h: struct store on SQLite: STATE/meshd.db, one table kv(tbl, k, v) ordered by (tbl,
 * k).
 *
 * WAL with synchronous = NORMAL: a finished put survives the death of the process at any point; a
 * power cut may take the last ones, never the file's consistency. Deleted rows are overwritten
 * (secure_delete), since some hold secrets.
 */
#ifndef MESHD_NODE_DAEMON_STORE_SQLITE_H
#define MESHD_NODE_DAEMON_STORE_SQLITE_H

#include "node/daemon/log.h"
#include "node/store.h"

struct store_sqlite;

/* Opens or makes the database at `path`. Says why not in the log: ERR_PERM, ERR_DISK, ERR_IO,
 * ERR_NOMEM, ERR_FORMAT (made by a newer meshd, or no database). *store stays valid until
 * store_sqlite_close. */
int store_sqlite_open(struct store_sqlite **out, struct store *store, const char *path,
                      const struct log *log) MUST_USE;
void store_sqlite_close(struct store_sqlite *s); /* NULL is fine */

#endif
