#include "node/daemon/disk/store_sync.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "net/os/file.h"
#include "net/os/oserr.h"
#include "node/api/xdg.h"
#include "node/daemon/disk/store_memory.h"
#include "node/daemon/os/trouble.h"

enum {
    LOG_FRAMES_MAX = 1024, /* 4 MiB: then the log is copied into the database and cut */
    BUSY_TRIES = 100,      /* to copy it, in a row, before that is called a failure */
};

struct store_sync {
    uv_loop_t *loop;
    struct store_sqlite *db;
    struct store_sync_setup setup;
    const struct log *log;
    uv_work_t req;
    sqlite3 *copier;         /* the worker's connection */
    struct os_file log_file; /* the worker's: of the log */
    bool busy;
    struct file_op *op;      /* the worker has it; NULL: it only copies */
    struct file_op *waiting; /* came in meanwhile */
    bool cut;     /* the log is to be cut as soon as it can be: it is long, or a secret is in it */
    bool suspect; /* a sync failed: what the log holds is safe only once it was copied */
    bool said;    /* that copying fails */
    unsigned busy_tries;
    /* orders to the worker, and its results */
    bool copy;
    int frames;       /* in the log then */
    uint64_t commits; /* made then */
    int sync_errno;
    int rc, in_log, copied;
};

/* ---- the worker ---- */

static void on_work(uv_work_t *req) {
    struct store_sync *s = req->data;
    s->sync_errno = 0;
    s->rc = SQLITE_OK;
    s->in_log = s->copied = -1;
    /* After one that failed, another one says nothing about the same bytes: the system has taken
     * them for written. They are still in memory, so that copying them can be trusted. */
    if (!s->suspect)
        s->sync_errno = os_file_sync_drive(s->log_file);
    if (s->sync_errno == 0 && s->copy)
        s->rc = sqlite3_wal_checkpoint_v2(s->copier, NULL, SQLITE_CHECKPOINT_PASSIVE, &s->in_log,
                                          &s->copied);
    /* Most of what it costs the loop to cut a long log is to let go of its pages in memory: they go
     * here (100 MiB: 40 ms are left of 140). All were copied: nobody reads them any more. */
    if (s->copy && s->rc == SQLITE_OK && s->copied == s->in_log && s->in_log > LOG_FRAMES_MAX)
        os_file_will_not_read(s->log_file);
}

/* ---- the loop ---- */

static void on_after_work(uv_work_t *req, int status);

static void order(struct store_sync *s) {
    s->op = s->waiting;
    s->waiting = NULL;
    s->frames = store_sqlite_log_frames(s->db);
    s->commits = store_sqlite_commits(s->db);
    s->copy = s->cut || s->suspect;
    s->busy = true;
    s->req.data = s;
    int r = uv_queue_work(s->loop, &s->req, on_work, on_after_work);
    assert(r == 0); /* it fails only without a work callback */
    (void)r;
}

/* The loop was writing in this moment. Nobody else can hold it, so it is over at the next try. */
static bool only_busy(struct store_sync *s) {
    if ((s->rc & 0xff) != SQLITE_BUSY) {
        s->busy_tries = 0;
        return false;
    }
    return s->busy_tries++ < BUSY_TRIES;
}

/* What the barrier is answered with. */
static int verdict(struct store_sync *s) {
    if (s->sync_errno != 0) {
        s->suspect = true;
        log_put(s->log, LOG_ERROR,
                "%s-wal cannot be brought to the disk: %s; messages and pairings wait until it can",
                store_sqlite_path(s->db), strerror(s->sync_errno));
        return oserr(s->sync_errno);
    }
    const bool failed = !only_busy(s) && s->rc != SQLITE_OK;
    if (failed && !s->said)
        log_put(s->log, LOG_ERROR, "%s: its log cannot be copied: %s", store_sqlite_path(s->db),
                sqlite3_errstr(s->rc));
    if (s->copy)
        s->said = failed;
    if (s->suspect) {
        if (s->rc != SQLITE_OK || s->copied < s->frames)
            return ERR_IO;
        s->suspect = false;
    }
    return 0;
}

/* Everything was copied, and nothing has been committed since. */
static bool can_cut(const struct store_sync *s) {
    return s->copy && s->rc == SQLITE_OK && s->copied == s->in_log && s->copied >= s->frames &&
           s->commits == store_sqlite_commits(s->db);
}

static void on_after_work(uv_work_t *req, int status) {
    struct store_sync *s = req->data;
    struct file_op *op = s->op;
    (void)status;
    s->busy = false;
    s->op = NULL;
    int err = verdict(s);
    if (s->cut && can_cut(s) && store_sqlite_cut_log(s->db))
        s->cut = false;
    if (op) {
        op->err = err;
        s->setup.done(s->setup.ctx, op);
    }
    s->setup.all_done(s->setup.ctx);
}

void store_sync_submit(struct store_sync *s, struct file_op *op) {
    assert(op->kind == FILE_OP_STORE_SYNC && !s->waiting);
    s->waiting = op;
    if (op->id & STORE_SYNC_SCRUB) {
        store_sqlite_forget(s->db);
        s->cut = true;
    }
    if (!s->busy)
        order(s);
}

void store_sync_turn(struct store_sync *s) {
    s->cut |= store_sqlite_log_frames(s->db) > LOG_FRAMES_MAX;
    /* One that cannot be copied is tried again with the next barrier. */
    if (!s->busy && (s->waiting || (s->cut && !s->said)))
        order(s);
}

bool store_sync_busy(const struct store_sync *s) {
    return s->busy;
}

/* ---- opening ---- */

static int open_copier(struct store_sync *s) {
    int rc = sqlite3_open_v2(store_sqlite_path(s->db), &s->copier,
                             SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                             store_sqlite_vfs());
    if (rc == SQLITE_OK) {
        store_memory_of(s->copier);
        /* It finds the log now, not in the worker. The pages that it has read for that may hold
         * secrets, and it never reads them again. */
        rc = sqlite3_exec(s->copier, "SELECT 1 FROM kv LIMIT 1", NULL, NULL, NULL);
        (void)sqlite3_db_release_memory(s->copier);
    }
    if (rc == SQLITE_OK)
        return 0;
    int unread = store_sqlite_read_errno(s->copier);
    if (!unread && (rc & 0xff) == SQLITE_IOERR)
        unread = sqlite3_system_errno(s->copier);
    if (unread)
        return trouble_put(s->log, "use the database", store_sqlite_path(s->db), unread, "--state");
    if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
        store_sqlite_say_damaged(s->db, rc);
    else
        log_put(s->log, LOG_ERROR, "cannot use the database %s: %s", store_sqlite_path(s->db),
                sqlite3_errmsg(s->copier));
    return rc == SQLITE_NOMEM ? ERR_NOMEM : ERR_IO;
}

static int open_log(struct store_sync *s) {
    char path[PATH_TEXT_MAX + 8];
    int n = snprintf(path, sizeof path, "%s-wal", store_sqlite_path(s->db));
    if (n < 0 || (size_t)n >= sizeof path)
        return ERR_IO;
    const int err = os_file_open(&s->log_file, path, OS_READ | OS_WRITE | OS_NOFOLLOW);
    return err ? trouble_put(s->log, "open", path, err, "--state") : 0;
}

int store_sync_open(struct store_sync **out, uv_loop_t *loop, struct store_sqlite *db,
                    const struct store_sync_setup *setup, const struct log *log) {
    struct store_sync *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s)
        return ERR_NOMEM;
    s->loop = loop;
    s->db = db;
    s->setup = *setup;
    s->log = log;
    s->log_file = OS_FILE_NONE;
    s->cut = true; /* what an earlier run has left in it */
    int r = open_copier(s);
    if (r == 0)
        r = open_log(s);
    if (r != 0) {
        store_sync_close(s);
        return r;
    }
    *out = s;
    return 0;
}

void store_sync_close(struct store_sync *s) {
    if (!s)
        return;
    assert(!s->busy);
    sqlite3_close(s->copier);
    (void)os_file_close(&s->log_file);
    free(s);
}
