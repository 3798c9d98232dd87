/* send.c: send */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/meter.h"
#include "cli/kit/spool.h"
#include "cli/screen/line.h"
#include "cli/verbs/transfer.h"
#include "net/os/file.h"
#include "net/os/interrupt.h"

struct sending {
    uint64_t timeout_us; /* 0: none */
    uint64_t id;
    uint64_t bytes; /* of all files, as they were looked at */
    bool from_stdin;
    char spool[SPOOL_PATH_MAX];
};

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* ---- what is sent ---- */
static const char *kind_text(enum os_kind k) {
    return k == OS_PIPE ? "pipe" : k == OS_SOCKET ? "socket" : "device";
}

/* Looks at every path before anything is asked for: a misspelt one fails at once, not when the peer
 * has accepted. */
static int check_path(struct app *a, const char *path, uint64_t *bytes) {
    struct os_info info;
    const int err = os_path_info(path, true, &info);
    if (err)
        return app_fail(a, err == EACCES ? ERR_PERM : ERR_NOT_FOUND,
                        "cannot send %s: %s; check the path", path, strerror(err));
    if (info.kind == OS_DIRECTORY)
        return app_fail(
            a, ERR_UNSUPPORTED,
            "%s is a directory, which cannot be sent yet; send its files, or an archive of it",
            path);
    if (info.kind != OS_REGULAR)
        return app_fail(
            a, ERR_UNSUPPORTED,
            "%s is a %s, which cannot be sent; send a regular file, or what comes out of it "
            "as standard input: -",
            path, kind_text(info.kind));
    *bytes += info.size;
    return 0;
}

static int check_words(struct app *a, struct sending *s) {
    int files = a->word_count - 1;
    for (int i = 1; i < a->word_count; i++)
        s->from_stdin = s->from_stdin || strcmp(a->words[i], "-") == 0;
    if (s->from_stdin && files > 1)
        return app_fail(a, ERR_USAGE,
                        "standard input (-) is sent alone; send the files by "
                        "another command, or one called - as ./-");
    if (a->o.as && files > 1)
        return app_fail(a, ERR_USAGE, "--as names one file, but there are %d", files);
    if (s->from_stdin && a->o.detach)
        return app_fail(a, ERR_USAGE,
                        "--detach does not go with -: the copy of standard input is gone when "
                        "this command ends");
    return 0;
}

/* All of standard input is read before the offer: not for nobody. */
static int check_contact(struct app *a) {
    json_t *all = json_array(), *c;
    size_t i;
    bool there = false;
    int code = app_list(a, "contact.list", "contacts", 0, all, NULL, NULL);
    json_array_foreach(all, i, c) {
        const char *name = json_string_value(json_object_get(c, "name"));
        there = there || (name && strcmp(name, a->words[0]) == 0);
    }
    json_decref(all);
    if (code == 0 && !there)
        code = app_fail(a, ERR_NOT_FOUND,
                        "there is no contact of that name: \"%s\"; list what there is with: "
                        "meshctl contact ls",
                        a->words[0]);
    return code;
}

static int gather(struct app *a, struct sending *s) {
    int code = check_words(a, s);
    if (code == 0 && s->from_stdin) {
        code = check_contact(a);
        return code ? code : spool_stdin(a, s->spool, &s->bytes);
    }
    for (int i = 1; i < a->word_count && code == 0; i++)
        code = check_path(a, a->words[i], &s->bytes);
    return code;
}

/* Asks for the transfer. 0 with its id, or the exit code. */
static int offer(struct app *a, struct sending *s) {
    struct proto_msg m;
    char path[PATH_TEXT_MAX];
    int code = 0;
    struct proto_writer *w = app_ask(a, "transfer.send");
    proto_str(w, "contact", a->words[0]);
    if (s->timeout_us)
        proto_uint(w, "timeout_us", s->timeout_us);
    if (a->o.as || s->from_stdin)
        proto_str(w, "name", a->o.as ? a->o.as : "stdin");
    if (a->o.detach)
        proto_bool(w, "detach", true);
    proto_array(w, "paths");
    for (int i = 1; i < a->word_count; i++) {
        code = s->from_stdin ? 0 : transfer_path(a, a->words[i], path);
        if (code)
            return code;
        proto_str(w, NULL, s->from_stdin ? s->spool : path);
    }
    proto_end(w);
    code = app_answer_surely(a, &m);
    if (code)
        return code;
    s->id = proto_get_uint(&m.result, "id", 0);
    proto_msg_clear(&m);
    return 0;
}

/* ---- until it has ended ---- */

static int subscribe(struct app *a) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "events.subscribe");
    proto_array(w, "kinds");
    proto_str(w, NULL, "transfer.started");
    proto_str(w, NULL, "transfer.progress");
    proto_end(w);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    proto_msg_clear(&m);
    return code;
}

static int interrupted(struct app *a, uint64_t id) {
    struct proto_msg m;
    interrupt_clear();
    line_end();
    a->interrupted = true;
    a->quiet = true; /* it may have ended just now, which is no further error */
    proto_uint(app_ask(a, "transfer.cancel"), "id", id);
    bool cancelled = app_answer(a, CLIENT_ANSWER_US, &m) == 0;
    proto_msg_clear(&m);
    a->quiet = false;
    return app_fail(a, ERR_CANCELLED,
                    cancelled ? "interrupted; transfer %llu is cancelled, on both sides"
                              : "interrupted; transfer %llu had ended; see: meshctl transfers ls",
                    (unsigned long long)id);
}

static void describe(const struct app *a, const struct sending *s, struct meter *m) {
    char size[PRINT_NUMBER_MAX], text[sizeof m->waiting];
    int files = a->word_count - 1;
    const char *name = a->o.as ? a->o.as : s->from_stdin ? "stdin" : base_name(a->words[1]);
    print_size(size, s->bytes);
    if (files > 1)
        snprintf(text, sizeof text, "waiting for %.64s to accept %d files, %s", a->words[0], files,
                 size);
    else
        snprintf(text, sizeof text, "waiting for %.64s to accept %.255s, %s", a->words[0], name,
                 size);
    meter_init(m, s->id, text);
    /* Until the first progress event says which one it is. */
    snprintf(m->name, sizeof m->name, "%.255s", files > 1 ? "" : name);
    m->index = 1;
    m->count = (uint64_t)files;
}

/* Shows progress until the transfer has ended; then its exit code. */
static int follow(struct app *a, const struct sending *s) {
    static struct meter meter;
    describe(a, s, &meter);
    proto_uint(app_ask(a, "transfer.wait"), "id", s->id);
    int code = app_send(a);
    if (code)
        return code;
    uint32_t request = a->request;
    for (;;) {
        struct proto_msg m;
        meter_show(&meter);
        int err = client_either(&a->client, request, meter_deadline_us(UINT64_MAX), &m);
        if (err == ERR_TIMEOUT)
            continue;
        if (err)
            return err == ERR_CANCELLED ? interrupted(a, s->id) : app_broken(a, err);
        if (m.kind == PROTO_RESPONSE) {
            code = m.error.type == MSGPACK_OBJECT_NIL
                       ? transfer_report(a, proto_get(&m.result, "transfer"))
                       : app_fail_map(a, "transfer.wait", &m.error);
            proto_msg_clear(&m);
            return code;
        }
        if (proto_get_uint(&m.params, "id", 0) == s->id)
            meter_event(&meter, &m.params);
        proto_msg_clear(&m);
    }
}

int run_send(struct app *a) {
    struct sending s = {.id = 0};
    int code = 0;
    if (!app_timeout(a, 0, &s.timeout_us, &code))
        return code;
    code = gather(a, &s);
    if (code == 0 && line_on())
        code = subscribe(a);
    if (code == 0)
        code = offer(a, &s);
    if (code)
        return code;
    if (a->interrupted)
        return interrupted(a, s.id);
    if (a->o.detach)
        return transfer_detached(a, s.id);
    interrupt_catch_resize();
    return follow(a, &s);
}
