#include "node/daemon/disk/store_sqlite.h"

#include <assert.h>
#include <errno.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/dir.h"
#include "node/api/xdg.h"
#include "node/daemon/disk/store_memory.h"
#include "node/daemon/os/trouble.h"

/* A row of zeroes that is longer than any with a secret and fits a page. */
enum { FORGET_BYTES = 768 };

enum { SCHEMA = 2, BUSY_MS = 2000 /* at the start: a backup may be under way */ };

enum {
    STMT_PUT,
    STMT_GET,
    STMT_DEL,
    STMT_NEXT,
    STMT_PREV,
    STMT_LAST,
    STMT_BEGIN,
    STMT_COMMIT,
    STMT_ROLLBACK,
    STMT_COUNT
};

static const char *const sql[STMT_COUNT] = {
    [STMT_PUT] = "INSERT OR REPLACE INTO kv(tbl, k, v) VALUES(?1, ?2, ?3)",
    [STMT_GET] = "SELECT v FROM kv WHERE tbl = ?1 AND k = ?2",
    [STMT_DEL] = "DELETE FROM kv WHERE tbl = ?1 AND k = ?2",
    [STMT_NEXT] = "SELECT v, k FROM kv WHERE tbl = ?1 AND k > ?2 ORDER BY k LIMIT 1",
    [STMT_PREV] = "SELECT v, k FROM kv WHERE tbl = ?1 AND k < ?2 ORDER BY k DESC LIMIT 1",
    /* No key is smaller than the empty one. */
    [STMT_LAST] = "SELECT v, k FROM kv WHERE tbl = ?1 AND k >= ?2 ORDER BY k DESC LIMIT 1",
    [STMT_BEGIN] = "BEGIN IMMEDIATE",
    [STMT_COMMIT] = "COMMIT",
    [STMT_ROLLBACK] = "ROLLBACK",
};

struct store_sqlite {
    sqlite3 *db;
    sqlite3_stmt *stmt[STMT_COUNT];
    const struct log *log;
    int log_frames;   /* pages in the WAL after the last commit */
    uint64_t commits; /* ever made */
    bool damaged;     /* and said so */
    int said;         /* SQLite's last complaint that is in the log; 0: a commit worked after it */
    char path[];
};

void store_sqlite_say_damaged(struct store_sqlite *s, int rc) {
    rc &= 0xff;
    if (s->damaged || (rc != SQLITE_CORRUPT && rc != SQLITE_NOTADB))
        return;
    s->damaged = true;
    log_put(s->log, LOG_ERROR,
            "%s is damaged: put a copy of it back, or move it away to start without contacts and "
            "messages (the identity is a file of its own, and stays); %s-wal, if there is one, "
            "belongs to it and goes with it",
            s->path, s->path);
}

int store_sqlite_read_errno(sqlite3 *db) {
    int err = 0;
    sqlite3_file *wal = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &err) == SQLITE_OK && err == 0 &&
        sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &wal) == SQLITE_OK && wal &&
        wal->pMethods)
        (void)wal->pMethods->xFileControl(wal, SQLITE_FCNTL_LAST_ERRNO, &err);
    return err == EIO || err == ENXIO || err == ENODEV ? err : 0;
}

/* One sentence: what is wrong with which file, and what to do. */
static void say(struct store_sqlite *s, int rc, int os) {
    switch (rc & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        store_sqlite_say_damaged(s, rc);
        return;
    case SQLITE_FULL:
        os = ENOSPC;
        break;
    case SQLITE_BUSY:
        log_put(s->log, LOG_ERROR, "another program has %s open; end it, then start again",
                s->path);
        return;
    case SQLITE_READONLY:
        os = os ? os : os_path_may_write(s->path);
        os = os ? os : EROFS;
        break;
    case SQLITE_ERROR:
        log_put(s->log, LOG_ERROR,
                "%s is no database of meshd's (%s); move it away, and put a copy of the right one "
                "there if there is one",
                s->path, sqlite3_errmsg(s->db));
        return;
    default:
        break;
    }
    if (os != 0) {
        int r = trouble_put(s->log, "use the database", s->path, os, "--state");
        (void)r; /* SQLite's own result tells more */
    } else {
        log_put(s->log, LOG_ERROR, "cannot use the database %s: %s", s->path,
                sqlite3_errmsg(s->db));
    }
}

static int map_error(struct store_sqlite *s, int rc) {
    int os = sqlite3_system_errno(s->db);
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_IOERR) {
        const int read = store_sqlite_read_errno(s->db);
        os = read ? read : os;
        rc = read ? SQLITE_IOERR : rc;
    }
    /* The same trouble again, message after message, is no news until something worked. */
    if (s->said != rc)
        say(s, rc, os);
    s->said = rc;
    switch (rc & 0xff) {
    case SQLITE_FULL:
        return ERR_DISK;
    case SQLITE_NOMEM:
        return ERR_NOMEM;
    case SQLITE_PERM:
    case SQLITE_READONLY:
    case SQLITE_AUTH:
        return ERR_PERM;
    case SQLITE_NOTADB:
        return ERR_FORMAT;
    case SQLITE_CANTOPEN:
        return os == EACCES || os == EPERM ? ERR_PERM : ERR_IO;
    default:
        return os == ENOSPC || os == EDQUOT ? ERR_DISK : ERR_IO;
    }
}

/* A statement with table and key bound; the bytes must stay until it is reset. */
static sqlite3_stmt *bind(struct store_sqlite *s, unsigned i, const char *table, const void *key,
                          size_t key_len) {
    sqlite3_stmt *st = s->stmt[i];
    sqlite3_bind_text(st, 1, table, -1, SQLITE_STATIC);
    /* A NULL pointer would bind NULL, which no key is greater than. */
    sqlite3_bind_blob(st, 2, key_len > 0 ? key : "", (int)key_len, SQLITE_STATIC);
    return st;
}

static int finish(struct store_sqlite *s, sqlite3_stmt *st, int rc) {
    int r = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : map_error(s, rc);
    sqlite3_reset(st);
    sqlite3_clear_bindings(st);
    return r;
}

static int store_put(void *ctx, const char *table, const void *key, size_t key_len,
                     const void *value, size_t value_len) {
    struct store_sqlite *s = ctx;
    assert(key_len > 0 && key_len <= STORE_KEY_MAX && value_len <= STORE_VALUE_MAX);
    sqlite3_stmt *st = bind(s, STMT_PUT, table, key, key_len);
    sqlite3_bind_blob(st, 3, value_len > 0 ? value : "", (int)value_len, SQLITE_STATIC);
    return finish(s, st, sqlite3_step(st));
}

/* Column 0 into value[0..cap). */
static int take_value(sqlite3_stmt *st, void *value, size_t cap, size_t *len) {
    *len = (size_t)sqlite3_column_bytes(st, 0);
    if (*len > cap)
        return ERR_FULL;
    if (*len > 0)
        memcpy(value, sqlite3_column_blob(st, 0), *len);
    return 0;
}

static int store_get(void *ctx, const char *table, const void *key, size_t key_len, void *value,
                     size_t cap, size_t *len) {
    struct store_sqlite *s = ctx;
    sqlite3_stmt *st = bind(s, STMT_GET, table, key, key_len);
    int rc = sqlite3_step(st);
    int found = rc == SQLITE_ROW ? take_value(st, value, cap, len) : ERR_NOT_FOUND;
    int r = finish(s, st, rc);
    return r != 0 ? r : found;
}

static int store_del(void *ctx, const char *table, const void *key, size_t key_len) {
    struct store_sqlite *s = ctx;
    sqlite3_stmt *st = bind(s, STMT_DEL, table, key, key_len);
    return finish(s, st, sqlite3_step(st));
}

/* The row that a bound statement finds: key and value are replaced. */
static int neighbour(struct store_sqlite *s, sqlite3_stmt *st, void *key, size_t *key_len,
                     void *value, size_t cap, size_t *len) {
    uint8_t found_key[STORE_KEY_MAX];
    size_t found_len = 0;
    int rc = sqlite3_step(st), found = ERR_NOT_FOUND;
    if (rc == SQLITE_ROW) {
        found = take_value(st, value, cap, len);
        found_len = (size_t)sqlite3_column_bytes(st, 1);
        if (found_len == 0 || found_len > sizeof found_key) {
            found = ERR_IO; /* not written by us */
            store_sqlite_say_damaged(s, SQLITE_CORRUPT);
        } else {
            memcpy(found_key, sqlite3_column_blob(st, 1), found_len);
        }
    }
    int r = finish(s, st, rc);
    if (r == 0 && (found == 0 || found == ERR_FULL)) {
        memcpy(key, found_key, found_len);
        *key_len = found_len;
    }
    sodium_memzero(found_key, sizeof found_key);
    return r != 0 ? r : found;
}

static int store_next(void *ctx, const char *table, void *key, size_t *key_len, void *value,
                      size_t cap, size_t *len) {
    sqlite3_stmt *st = bind(ctx, STMT_NEXT, table, key, *key_len);
    return neighbour(ctx, st, key, key_len, value, cap, len);
}

static int store_prev(void *ctx, const char *table, void *key, size_t *key_len, void *value,
                      size_t cap, size_t *len) {
    sqlite3_stmt *st = bind(ctx, *key_len > 0 ? STMT_PREV : STMT_LAST, table, key, *key_len);
    return neighbour(ctx, st, key, key_len, value, cap, len);
}

/* ---- transactions ---- */

static int run(struct store_sqlite *s, unsigned i) {
    return finish(s, s->stmt[i], sqlite3_step(s->stmt[i]));
}

static int store_begin(void *ctx) {
    return run(ctx, STMT_BEGIN);
}

/* SQLite ends a transaction by itself after some errors (a full disk, for one). */
static void store_rollback(void *ctx) {
    struct store_sqlite *s = ctx;
    if (sqlite3_get_autocommit(s->db) == 0 && run(s, STMT_ROLLBACK) != 0)
        log_put(s->log, LOG_ERROR, "%s: a transaction could not be taken back", s->path);
}

static int store_commit(void *ctx) {
    struct store_sqlite *s = ctx;
    if (sqlite3_get_autocommit(s->db) != 0)
        return ERR_IO;
    int r = run(s, STMT_COMMIT);
    if (r != 0)
        store_rollback(s);
    return r;
}

static int on_commit(void *ctx, sqlite3 *db, const char *name, int frames) {
    struct store_sqlite *s = ctx;
    (void)db;
    (void)name;
    s->log_frames = frames;
    s->commits++;
    s->said = 0;
    return SQLITE_OK;
}

/* ---- the log's length ---- */

int store_sqlite_log_frames(const struct store_sqlite *s) {
    return s->log_frames;
}

uint64_t store_sqlite_commits(const struct store_sqlite *s) {
    return s->commits;
}

bool store_sqlite_cut_log(struct store_sqlite *s) {
    int left, copied;
    int rc = sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &left, &copied);
    if (rc == SQLITE_OK)
        s->log_frames = 0;
    return rc == SQLITE_OK;
}

void store_sqlite_forget(struct store_sqlite *s) {
    static const uint8_t zeroes[FORGET_BYTES];
    static const char table[] = "scrub", key[] = "scrub";
    int r = store_put(s, table, key, sizeof key, zeroes, sizeof zeroes);
    if (r == 0)
        r = store_del(s, table, key, sizeof key);
    (void)r; /* said; the next scrub tries again */
}

const char *store_sqlite_path(const struct store_sqlite *s) {
    return s->path;
}

/* ---- opening ---- */

static int read_version(struct store_sqlite *s, int *version) {
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(s->db, "PRAGMA user_version", -1, &st, NULL);
    if (rc != SQLITE_OK)
        return map_error(s, rc);
    rc = sqlite3_step(st);
    *version = rc == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;
    int r = rc == SQLITE_ROW ? 0 : map_error(s, rc);
    sqlite3_finalize(st);
    return r;
}

/* A database without our stamp that has tables is another program's: nothing is added to it. Our
 * own table alone is of a start that was cut off. */
static int check_foreign(struct store_sqlite *s) {
    static const char others[] = "SELECT count(*) FROM sqlite_master WHERE name <> 'kv'";
    sqlite3_stmt *st;
    int rc = sqlite3_prepare_v2(s->db, others, -1, &st, NULL);
    if (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int(st, 0) > 0)
        rc = SQLITE_ERROR;
    sqlite3_finalize(st);
    return rc;
}

static int prepare(struct store_sqlite *s) {
    static const char setup[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                "PRAGMA secure_delete = ON;"
                                "CREATE TABLE IF NOT EXISTS kv(tbl TEXT NOT NULL, k BLOB NOT NULL,"
                                " v BLOB NOT NULL, PRIMARY KEY(tbl, k)) WITHOUT ROWID;";
    static const char stamp[] = "PRAGMA user_version = 2";
    static_assert(SCHEMA == 2, "the number in the text above");
    sqlite3_busy_timeout(s->db, BUSY_MS);
    int version = 0;
    int r = read_version(s, &version);
    if (r != 0)
        return r;
    if (version > SCHEMA) {
        log_put(
            s->log, LOG_ERROR,
            "%s was made by a newer meshd (schema %d, this one knows %d); start that one, or move "
            "the file away with its -wal to start without contacts and messages",
            s->path, version, SCHEMA);
        return ERR_FORMAT;
    }
    int rc = version == 0 ? check_foreign(s) : SQLITE_OK;
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(s->db, setup, NULL, NULL, NULL);
    if (rc == SQLITE_OK && version != SCHEMA) /* else a full disk is no reason not to start */
        rc = sqlite3_exec(s->db, stamp, NULL, NULL, NULL);
    if (rc == SQLITE_OK && version == 0)
        log_put(s->log, LOG_INFO, "made a new database: %s", s->path);
    sqlite3_busy_timeout(s->db, 0);        /* from here on nobody else can hold it */
    sqlite3_wal_hook(s->db, on_commit, s); /* and nothing is copied out of the log on its own */
    for (unsigned i = 0; rc == SQLITE_OK && i < STMT_COUNT; i++)
        rc = sqlite3_prepare_v3(s->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &s->stmt[i], NULL);
    return rc == SQLITE_OK ? 0 : map_error(s, rc);
}

/* The one that lets nobody else in, where there is one. */
const char *store_sqlite_vfs(void) {
    static const char exclusive[] = "unix-excl";
    return sqlite3_vfs_find(exclusive) ? exclusive : NULL;
}

static int sync_log(struct store_sqlite *s, const char *path) {
    struct os_file f;
    int err = os_file_open(&f, path, OS_READ | OS_WRITE);
    if (!err)
        err = os_file_sync(f);
    (void)os_file_close(&f);
    return err ? trouble_put(s->log, "write", path, err, "--state") : 0;
}

static int sync_dir(struct store_sqlite *s, const char *path) {
    struct os_dir d;
    int err = os_dir_open(&d, path);
    if (!err)
        err = os_dir_sync(d);
    os_dir_close(&d);
    return err ? trouble_put(s->log, "write", path, err, "--state") : 0;
}

/* What was found in the log survives a power cut from here on, and so do the files' names: then a
 * barrier is an fsync of the log alone. Never the database by a descriptor of ours: closing it
 * would drop SQLite's locks (POSIX). */
static int sync_found(struct store_sqlite *s) {
    char path[PATH_TEXT_MAX + 8];
    int n = snprintf(path, sizeof path, "%s-wal", s->path);
    if (n < 0 || (size_t)n >= sizeof path)
        return ERR_IO;
    int r = sync_log(s, path);
    char *slash = strrchr(path, '/');
    if (slash)
        slash[slash == path] = '\0';
    return r ? r : sync_dir(s, slash ? path : ".");
}

/* A log whose database is not there: SQLite would take it for rubbish and remove it, with all that
 * was stored since the log was last copied. */
static int check_log(const struct store_sqlite *s) {
    char path[PATH_TEXT_MAX + 8];
    struct os_info db, wal;
    const int n = snprintf(path, sizeof path, "%s-wal", s->path);
    if (n < 0 || (size_t)n >= sizeof path)
        return ERR_IO;
    if (os_path_info(path, true, &wal) != 0 || wal.size == 0)
        return 0;
    const int err = os_path_info(s->path, true, &db);
    const bool there = err == 0;
    if (there ? db.size > 0 : err != ENOENT)
        return 0; /* or opening it tells more */
    log_put(s->log, LOG_ERROR,
            "%s is %s, and %s beside it has contacts and messages of it; put the database back "
            "there, or move that away to where the database was moved",
            s->path, there ? "empty" : "missing", path);
    return ERR_NOT_FOUND;
}

int store_sqlite_open(struct store_sqlite **out, struct store *store, const char *path,
                      const struct log *log) {
    size_t n = strlen(path) + 1;
    struct store_sqlite *s = calloc(1, sizeof *s + n);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    memcpy(s->path, path, n);
    s->log = log;
    const int lost = check_log(s);
    if (lost) {
        store_sqlite_close(s);
        return lost;
    }
    store_memory_init();
    int rc = sqlite3_open_v2(path, &s->db,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                                 SQLITE_OPEN_EXRESCODE,
                             store_sqlite_vfs());
    if (rc == SQLITE_OK)
        store_memory_of(s->db);
    if (rc == SQLITE_OK && sqlite3_db_readonly(s->db, "main") == 1)
        rc = SQLITE_READONLY; /* what SQLite falls back to, without a word */
    int r = rc == SQLITE_OK ? prepare(s) : map_error(s, rc);
    if (r == 0)
        r = sync_found(s);
    if (r != 0) {
        store_sqlite_close(s);
        return r;
    }
    *store = (struct store){.ctx = s,
                            .put = store_put,
                            .get = store_get,
                            .del = store_del,
                            .next = store_next,
                            .prev = store_prev,
                            .begin = store_begin,
                            .commit = store_commit,
                            .rollback = store_rollback};
    *out = s;
    return 0;
}

void store_sqlite_close(struct store_sqlite *s) {
    if (!s)
        return;
    for (unsigned i = 0; i < STMT_COUNT; i++)
        sqlite3_finalize(s->stmt[i]);
    sqlite3_close(s->db);
    free(s);
}
