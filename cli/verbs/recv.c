/* recv.c: recv */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/meter.h"
#include "cli/screen/line.h"
#include "cli/verbs/transfer.h"
#include "net/os/interrupt.h"

enum { SHOWN_MAX = 16 }; /* transfers of ours whose progress is followed; the line has the newest */

struct reception {
    char dir[PATH_TEXT_MAX];       /* "": the daemon's choice */
    uint64_t id;                   /* the daemon's number for it */
    struct meter shown[SHOWN_MAX]; /* those that run, oldest first */
    unsigned shown_count;
    bool any;
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
    if (a->o.once || a->o.detach)
        proto_bool(w, "once", true);
    int code = app_answer_surely(a, &m);
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

/* ---- the line ---- */

static struct meter *shown(struct reception *r, uint64_t id) {
    for (unsigned i = 0; i < r->shown_count; i++)
        if (r->shown[i].id == id)
            return &r->shown[i];
    return NULL;
}

static void forget(struct reception *r, unsigned at) {
    memmove(&r->shown[at], &r->shown[at + 1], (--r->shown_count - at) * sizeof r->shown[0]);
}

/* The name of its first file, until a progress event says which one is under way. */
static void first_name(struct app *a, struct meter *meter) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "transfer.files");
    proto_uint(w, "id", meter->id);
    proto_uint(w, "limit", 1);
    a->quiet = true; /* the name is an extra */
    if (app_answer(a, CLIENT_ANSWER_US, &m) == 0)
        proto_copy_str(proto_at(proto_get(&m.result, "files"), 0), "name", meter->name,
                       sizeof meter->name);
    proto_msg_clear(&m);
    a->quiet = false;
}

static void begin(struct app *a, struct reception *r, const msgpack_object *e, uint64_t id) {
    if (r->shown_count == SHOWN_MAX)
        forget(r, 0);
    struct meter *m = &r->shown[r->shown_count++];
    meter_init(m, id, "");
    meter_event(m, e);
    if (line_on())
        first_name(a, m);
}

static void show(struct app *a, struct reception *r) {
    if (r->shown_count > 0)
        meter_show(&r->shown[r->shown_count - 1]);
    else if (a->o.from)
        meter_say("waiting for a transfer from %s; Ctrl-C stops", a->o.from);
    else
        meter_say("waiting for a transfer; Ctrl-C stops");
}

/* ---- events ---- */

/* One event. True when a transfer of ours has ended, with its exit code. */
static bool take_event(struct app *a, struct reception *r, const msgpack_object *e, int *code) {
    const msgpack_object *what = proto_get(e, "event"), *t = proto_get(e, "transfer");
    uint64_t id = proto_get_uint(e, "id", 0);
    struct meter *m = shown(r, id);
    if (proto_str_is(what, "transfer.progress") && m)
        meter_event(m, e);
    if (!is_ours(r, t))
        return false;
    if (proto_str_is(what, "transfer.started")) {
        begin(a, r, e, id);
        if (!line_on()) /* else the line of its progress tells */
            transfer_say("receiving", t, "");
        return false;
    }
    if (!proto_str_is(what, "transfer.done") && !proto_str_is(what, "transfer.failed"))
        return false;
    if (m)
        forget(r, (unsigned)(m - r->shown));
    *code = transfer_report(a, t);
    return true;
}

/* ---- interrupted ---- */

/* Cancels one; it has ended when that is answered. True unless it was done already, which is
 * reported. */
static bool cancel(struct app *a, uint64_t id, const char *contact) {
    struct proto_msg m;
    a->quiet = true; /* what ends by itself in this moment is no further error */
    proto_uint(app_ask(a, "transfer.cancel"), "id", id);
    bool stopped = app_answer(a, CLIENT_ANSWER_US, &m) == 0;
    proto_msg_clear(&m);
    proto_uint(app_ask(a, "transfer.get"), "id", id);
    if (app_answer(a, CLIENT_ANSWER_US, &m) == 0 && (!stopped || a->o.json))
        (void)transfer_report(a, proto_get(&m.result, "transfer"));
    proto_msg_clear(&m);
    a->quiet = false;
    if (stopped)
        app_say("transfer %llu from %s is cancelled, on both sides", (unsigned long long)id,
                contact);
    return stopped;
}

/* Nothing more is taken; what our order has taken and has not ended is cancelled. How many; -1: the
 * daemon does not answer. */
static int cancel_all(struct app *a, struct reception *r) {
    json_t *all = json_array(), *t;
    struct proto_msg m;
    size_t i;
    int count = 0;
    a->quiet = true;
    proto_uint(app_ask(a, "recv.stop"), "id", r->id);
    (void)app_answer(a, CLIENT_ANSWER_US, &m); /* one that held once has gone with its transfer */
    proto_msg_clear(&m);
    if (app_list(a, "transfer.list", "transfers", 0, all, NULL, NULL) != 0)
        count = -1;
    a->quiet = false;
    json_array_foreach(all, i, t) {
        const char *state = json_string_value(json_object_get(t, "state"));
        const char *contact = json_string_value(json_object_get(t, "contact"));
        if ((uint64_t)json_integer_value(json_object_get(t, "recv")) == r->id && state &&
            strcmp(state, "done") != 0 && strcmp(state, "failed") != 0)
            count += cancel(a, (uint64_t)json_integer_value(json_object_get(t, "id")),
                            contact ? contact : "?");
    }
    json_decref(all);
    return count;
}

/* As scp and croc do it: who stops receiving wants no file. */
static int interrupted(struct app *a, struct reception *r) {
    interrupt_clear();
    a->interrupted = true;
    line_end();
    int count = cancel_all(a, r);
    if (count < 0)
        return app_fail(a, ERR_CANCELLED,
                        "interrupted; meshd does not answer: what it was receiving may go on, see: "
                        "meshctl transfers ls");
    if (count == 0)
        return app_fail(a, ERR_CANCELLED, "interrupted; nothing is being received now");
    return EXIT_INTERRUPTED;
}

static int loop(struct app *a, struct reception *r, uint64_t deadline_us) {
    for (;;) {
        struct proto_msg m;
        int code = 0, err;
        show(a, r);
        err = client_note(&a->client, meter_deadline_us(deadline_us), &m);
        if (err == ERR_TIMEOUT && clock_now_us() < deadline_us)
            continue;
        if (err == ERR_CANCELLED)
            return interrupted(a, r);
        if (err == ERR_TIMEOUT) {
            line_clear();
            return r->any ? 0
                          : app_fail(a, err,
                                     "no transfer has ended in time; allow more with --timeout");
        }
        if (err)
            return app_broken(a, err);
        bool ended = take_event(a, r, &m.params, &code);
        proto_msg_clear(&m);
        r->any = r->any || ended;
        if (a->o.detach && r->shown_count > 0)
            return transfer_detached(a, r->shown[0].id);
        if ((ended && (a->o.once || a->o.detach)) || ferror(stdout))
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
        code = transfer_dir(a, a->o.out, r.dir);
    if (code == 0)
        code = subscribe(a);
    if (code == 0)
        code = start(a, &r);
    if (code)
        return code;
    if (a->interrupted)
        return interrupted(a, &r);
    interrupt_catch_resize();
    return loop(a, &r, timeout_us ? clock_now_us() + timeout_us : UINT64_MAX);
}
