/* recv.c: recv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/transfer.h"

struct reception {
    char dir[PATH_TEXT_MAX]; /* "": the daemon's choice */
    uint64_t id;             /* the daemon's number for it */
    uint64_t shown;          /* the transfer whose progress is shown: ours that began last */
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

static int start(struct app *a, struct reception *r) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "recv.start");
    if (r->dir[0])
        proto_str(w, "dir", r->dir);
    if (a->o.from)
        proto_str(w, "contact", a->o.from);
    if (a->o.once)
        proto_bool(w, "once", true);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    r->id = proto_get_uint(&m.result, "id", 0);
    proto_msg_clear(&m);
    return 0;
}

/* Others may receive too, and accept by hand: what our own order has taken is ours to report. */
static bool is_ours(const struct reception *r, const msgpack_object *t) {
    return t && t->type == MSGPACK_OBJECT_MAP && r->id != 0 &&
           proto_get_uint(t, "recv", 0) == r->id;
}

/* One event. True when a transfer of ours has ended, with its exit code. */
static bool take_event(struct app *a, struct reception *r, const msgpack_object *e, int *code) {
    const msgpack_object *what = proto_get(e, "event"), *t = proto_get(e, "transfer");
    if (proto_str_is(what, "transfer.progress")) {
        if (r->shown != 0 && r->shown == proto_get_uint(e, "id", 0))
            progress_update(&r->progress, proto_get_uint(e, "at_us", 0),
                            proto_get_uint(e, "bytes_done", 0),
                            proto_get_uint(e, "bytes_total", 0));
        return false;
    }
    if (!is_ours(r, t))
        return false;
    if (proto_str_is(what, "transfer.started")) {
        r->shown = proto_get_uint(t, "id", 0);
        if (!r->progress.on) /* else the line of its progress tells */
            transfer_say("receiving", t, "");
    }
    bool ended = proto_str_is(what, "transfer.done") || proto_str_is(what, "transfer.failed");
    if (!ended)
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
        code = start(a, &r);
    if (code)
        return code;
    progress_init(&r.progress, true);
    progress_say(&r.progress, "waiting for a transfer; interrupt to stop");
    return loop(a, &r, timeout_us ? client_now_us() + timeout_us : UINT64_MAX);
}
