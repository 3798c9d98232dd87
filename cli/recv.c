/* recv.c: recv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/transfer.h"

enum { KNOWN_MAX = 512 };

struct reception {
    char dir[PATH_TEXT_MAX];   /* "": the daemon's choice */
    uint64_t known[KNOWN_MAX]; /* transfers that had begun before us */
    unsigned known_count;
    struct progress progress;
};

static int subscribe(struct app *a) {
    static const char *const kinds[] = {"transfer.started", "transfer.progress", "transfer.done",
                                        "transfer.failed"};
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "events.subscribe");
    proto_array(w, "kinds");
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        proto_str(w, NULL, kinds[i]);
    proto_end(w);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    proto_msg_clear(&m);
    return code;
}

/* Incoming transfers that somebody else has accepted are not ours to report. */
static int remember_known(struct app *a, struct reception *r) {
    uint64_t offset = 0, next;
    do {
        struct proto_msg m;
        const msgpack_object *t;
        proto_uint(app_ask(a, "transfer.list"), "offset", offset);
        int code = app_answer(a, CLIENT_ANSWER_US, &m);
        if (code)
            return code;
        const msgpack_object *list = proto_get(&m.result, "transfers");
        for (uint32_t i = 0; (t = proto_at(list, i)) != NULL && r->known_count < KNOWN_MAX; i++)
            if (!proto_str_is(proto_get(t, "state"), "offered"))
                r->known[r->known_count++] = proto_get_uint(t, "id", 0);
        next = proto_get_uint(&m.result, "next", 0);
        bool odd = next && next <= offset;
        proto_msg_clear(&m);
        if (odd)
            return app_broken(a, ERR_PROTO);
        offset = next;
    } while (next);
    return 0;
}

static int start(struct app *a, const struct reception *r) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "recv.start");
    if (r->dir[0])
        proto_str(w, "dir", r->dir);
    if (a->o.from)
        proto_str(w, "contact", a->o.from);
    if (a->o.once)
        proto_bool(w, "once", true);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    proto_msg_clear(&m);
    return code;
}

static bool is_ours(const struct app *a, const struct reception *r, const msgpack_object *t) {
    char dir[PATH_TEXT_MAX];
    if (!t || t->type != MSGPACK_OBJECT_MAP || proto_get_bool(t, "outgoing"))
        return false;
    for (unsigned i = 0; i < r->known_count; i++)
        if (r->known[i] == proto_get_uint(t, "id", 0))
            return false;
    if (a->o.from && !proto_str_is(proto_get(t, "contact"), a->o.from))
        return false;
    proto_copy_str(t, "dir", dir, sizeof dir);
    /* The daemon may cut a very long path where it shows it. */
    return !r->dir[0] || (dir[0] && strncmp(dir, r->dir, strlen(dir)) == 0);
}

/* One event. True when a transfer of ours has ended, with its exit code. */
static bool take_event(struct app *a, struct reception *r, const msgpack_object *e, int *code) {
    const msgpack_object *what = proto_get(e, "event"), *t = proto_get(e, "transfer");
    if (proto_str_is(what, "transfer.progress")) {
        progress_update(&r->progress, proto_get_uint(e, "at_us", 0),
                        proto_get_uint(e, "bytes_done", 0), proto_get_uint(e, "bytes_total", 0));
        return false;
    }
    bool ended = proto_str_is(what, "transfer.done") || proto_str_is(what, "transfer.failed");
    if (!ended || !is_ours(a, r, t))
        return false;
    progress_clear(&r->progress);
    *code = transfer_report(a, t);
    return true;
}

static int loop(struct app *a, struct reception *r, uint64_t deadline_us) {
    bool any = false;
    for (;;) {
        struct proto_msg m;
        int code = 0, err = client_note(&a->client, deadline_us, &m);
        if (err)
            progress_clear(&r->progress);
        if (err == ERR_TIMEOUT)
            return any ? 0
                       : app_fail(a, err,
                                  "no transfer has ended in time; allow more with --timeout");
        if (err)
            return app_broken(a, err);
        bool ended = take_event(a, r, &m.params, &code);
        proto_msg_clear(&m);
        any = any || ended;
        if ((ended && a->o.once) || ferror(stdout))
            return code;
    }
}

int run_recv(struct app *a) {
    static struct reception r;
    uint64_t timeout_us;
    int code = 0;
    if (!app_timeout(a, 0, &timeout_us, &code))
        return code;
    if (a->o.out)
        code = transfer_path(a, a->o.out, r.dir);
    if (code == 0)
        code = subscribe(a);
    if (code == 0)
        code = remember_known(a, &r);
    if (code == 0)
        code = start(a, &r);
    if (code)
        return code;
    progress_init(&r.progress, true);
    progress_say(&r.progress, "waiting for a transfer; interrupt to stop");
    return loop(a, &r, timeout_us ? client_now_us() + timeout_us : UINT64_MAX);
}
