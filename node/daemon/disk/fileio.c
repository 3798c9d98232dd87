#include "node/daemon/disk/fileio.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon/disk/fileio_run.h"
#include "node/daemon/disk/partials.h"

struct open_file {
    struct file_slot slot;
    bool busy; /* a worker has it: the core keeps one operation out per file */
};

enum {
    THREADS = 4,     /* libuv's pool, unless UV_THREADPOOL_SIZE says otherwise */
    BATCH_OPS = 16,  /* for one thread in one go: handing over costs more than a small operation */
    BATCH_SPANS = 4, /* one that moves more bytes than so many spans hold goes alone */
    GATHER_OPS = THREADS * BATCH_OPS,
};

struct item {
    struct file_op *op;
    struct open_file *file; /* NULL: has_file says no */
};

struct work {
    uv_work_t req;
    struct fileio *f;
    struct item items[BATCH_OPS];
    unsigned count;
    struct work *next;
};

struct fileio {
    uv_loop_t *loop;
    struct fileio_setup setup;
    struct file_env env;
    unsigned pending;
    struct item gathered[GATHER_OPS]; /* until fileio_flush */
    unsigned gathered_count;
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
    f->env.can_link = os_dir_can_name();
    int r = partials_open(&f->env.partials, setup->state, setup->state_dir, log);
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

static void run_all(struct fileio *f, const struct item *items, unsigned count) {
    for (unsigned i = 0; i < count; i++)
        file_op_run(items[i].op, items[i].file ? &items[i].file->slot : NULL, &f->env);
}

static void give_back(struct fileio *f, const struct item *items, unsigned count) {
    for (unsigned i = 0; i < count; i++) {
        struct file_op *op = items[i].op;
        struct open_file *file = items[i].file;
        if (file) {
            file->busy = false;
            if (!os_file_is_open(file->slot.file)) { /* closed, or never opened */
                free(file);
                f->files[op->slot] = NULL;
            }
        }
        f->pending--;
        f->setup.done(f->setup.ctx, op);
    }
}

static void on_work(uv_work_t *req) {
    struct work *w = req->data;
    run_all(w->f, w->items, w->count);
}

static void on_after_work(uv_work_t *req, int status) {
    struct work *w = req->data;
    struct fileio *f = w->f;
    (void)status;
    give_back(f, w->items, w->count);
    w->next = f->spare;
    f->spare = w;
    f->setup.all_done(f->setup.ctx);
}

static void hand_over(struct fileio *f, const struct item *items, unsigned count) {
    struct work *w = f->spare;
    if (w)
        f->spare = w->next;
    else
        w = malloc(sizeof *w);
    if (!w) { /* no memory to hand it over: here, slowly, so that nothing stays half done */
        run_all(f, items, count);
        give_back(f, items, count);
        return;
    }
    w->f = f;
    w->count = count;
    memcpy(w->items, items, count * sizeof *items);
    w->req.data = w;
    int r = uv_queue_work(f->loop, &w->req, on_work, on_after_work);
    assert(r == 0); /* it fails only without a work callback */
    (void)r;
}

void fileio_flush(struct fileio *f) {
    const unsigned count = f->gathered_count, each = (count + THREADS - 1) / THREADS;
    f->gathered_count = 0;
    for (unsigned i = 0; i < count; i += each)
        hand_over(f, f->gathered + i, count - i < each ? count - i : each);
}

void fileio_submit(struct fileio *f, struct file_op *op) {
    const struct item item = {op, file_for(f, op)};
    if (!item.file && has_file(op)) {
        op->err = ERR_NOMEM;
        f->setup.done(f->setup.ctx, op);
        return;
    }
    if (item.file) {
        bool opens = op->kind == FILE_OP_OPEN || op->kind == FILE_OP_CREATE;
        assert(!item.file->busy && (!opens || !os_file_is_open(item.file->slot.file)));
        item.file->busy = true;
    }
    f->pending++;
    if (op->nspans > BATCH_SPANS) {
        hand_over(f, &item, 1);
        return;
    }
    f->gathered[f->gathered_count++] = item;
    if (f->gathered_count == GATHER_OPS)
        fileio_flush(f);
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
    os_dir_close(&f->env.partials);
    free(f);
}
