#include "node/daemon/fileio.h"

#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

#include "node/daemon/fileio_run.h"
#include "node/daemon/partials.h"

struct open_file {
    struct file_slot slot;
    bool busy; /* a worker has it: the core keeps one operation out per file */
};

struct work {
    uv_work_t req;
    struct fileio *f;
    struct file_op *op;
    struct open_file *file; /* NULL: has_file says no */
    struct work *next;
};

struct fileio {
    uv_loop_t *loop;
    struct fileio_setup setup;
    struct file_env env;
    unsigned pending;
    struct work *spare; /* finished work structures, kept: as many as were ever pending */
    struct open_file *files[FILE_SLOTS_MAX];
};

int fileio_open(struct fileio **out, uv_loop_t *loop, const struct fileio_setup *setup,
                const struct log *log) {
    struct fileio *f = calloc(1, sizeof *f);
    *out = NULL;
    if (!f)
        return ERR_NOMEM;
    f->loop = loop;
    f->setup = *setup;
    f->env.umask = setup->umask;
    f->env.can_link = access("/proc/self/fd", X_OK) == 0;
    int r = partials_open(&f->env.partials_fd, setup->state_fd, log);
    if (r != 0) {
        free(f);
        return r;
    }
    *out = f;
    return 0;
}

unsigned fileio_pending(const struct fileio *f) {
    return f->pending;
}

static bool has_file(const struct file_op *op) {
    return file_op_has_slot(op->kind);
}

/* The slot's file, made if it has none. NULL: it needs none, or no memory. */
static struct open_file *file_for(struct fileio *f, const struct file_op *op) {
    if (!has_file(op))
        return NULL;
    assert(op->slot < FILE_SLOTS_MAX);
    struct open_file **at = &f->files[op->slot];
    if (!*at) {
        *at = malloc(sizeof **at);
        if (*at) {
            file_slot_init(&(*at)->slot);
            (*at)->busy = false;
        }
    }
    return *at;
}

static void on_work(uv_work_t *req) {
    struct work *w = req->data;
    file_op_run(w->op, w->file ? &w->file->slot : NULL, &w->f->env);
}

static void on_after_work(uv_work_t *req, int status) {
    struct work *w = req->data;
    struct fileio *f = w->f;
    struct file_op *op = w->op;
    (void)status;
    if (w->file) {
        w->file->busy = false;
        if (w->file->slot.fd < 0) { /* closed, or never opened */
            free(w->file);
            f->files[op->slot] = NULL;
        }
    }
    w->next = f->spare;
    f->spare = w;
    f->pending--;
    f->setup.done(f->setup.ctx, op);
}

void fileio_submit(struct fileio *f, struct file_op *op) {
    struct open_file *file = file_for(f, op);
    struct work *w = f->spare;
    if (w)
        f->spare = w->next;
    else
        w = malloc(sizeof *w);
    if (!w || (!file && has_file(op))) {
        free(w);
        op->err = ERR_NOMEM;
        f->setup.done(f->setup.ctx, op);
        return;
    }
    if (file) {
        bool opens = op->kind == FILE_OPEN || op->kind == FILE_CREATE;
        assert(!file->busy && (!opens || file->slot.fd < 0));
        file->busy = true;
    }
    *w = (struct work){.f = f, .op = op, .file = file};
    w->req.data = w;
    f->pending++;
    int r = uv_queue_work(f->loop, &w->req, on_work, on_after_work);
    assert(r == 0); /* it fails only without a work callback */
    (void)r;
}

void fileio_close(struct fileio *f) {
    if (!f)
        return;
    assert(f->pending == 0);
    for (uint32_t i = 0; i < FILE_SLOTS_MAX; i++) {
        if (f->files[i])
            file_slot_drop(&f->files[i]->slot, i, &f->env);
        free(f->files[i]);
    }
    while (f->spare) {
        struct work *w = f->spare;
        f->spare = w->next;
        free(w);
    }
    close(f->env.partials_fd);
    free(f);
}
