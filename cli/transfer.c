/* transfer.c: transfers ls, accept, reject, cancel, and how the end of a transfer is told */
#include "cli/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "crypto/err.h"

int transfer_path(struct app *a, const char *path, char out[static PATH_TEXT_MAX]) {
    char dir[PATH_TEXT_MAX], *real;
    struct stat st;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
        real = realpath(path, NULL);
        name = NULL;
    } else {
        if (paths_parent(dir, sizeof dir, path) != 0)
            return app_fail(a, ERR_USAGE, "the path is longer than %d bytes: %s", PATH_TEXT_MAX - 1,
                            path);
        real = realpath(dir, NULL);
    }
    if (!real)
        return app_fail(a, errno == EACCES ? ERR_PERM : ERR_NOT_FOUND,
                        "cannot find %s: %s; check the path", path, strerror(errno));
    int err = name ? paths_join(out, PATH_TEXT_MAX, real, name) : 0;
    if (!name)
        err = snprintf(out, PATH_TEXT_MAX, "%s", real) < PATH_TEXT_MAX ? 0 : ERR_FULL;
    free(real);
    return err ? app_fail(a, ERR_USAGE, "the path is longer than %d bytes: %s", PATH_TEXT_MAX - 1,
                          path)
               : 0;
}

/* ---- the end of a transfer ---- */

static json_t *to_json(struct app *a, const msgpack_object *t) {
    static const char *const kept[] = {"id", "contact", "node", "outgoing", "state", "dir"};
    json_t *o = json_object(), *files = json_array();
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        json_object_set_new(o, kept[i], json_from(proto_get(t, kept[i])));
    json_object_set_new(o, "bytes", json_from(proto_get(t, "bytes_done")));
    json_object_set_new(o, "seconds", json_real((double)proto_get_uint(t, "elapsed_us", 0) / 1e6));
    json_object_set_new(o, "files", files);
    /* The names are an extra: without them the outcome is still told. */
    a->hold = true;
    (void)app_list(a, "transfer.files", "files", proto_get_uint(t, "id", 0), files, NULL, NULL);
    json_decref(app_take_held(a));
    return o;
}

static void print_line(const msgpack_object *t) {
    char size[PRINT_NUMBER_MAX], took[PRINT_NUMBER_MAX], rate[PRINT_NUMBER_MAX];
    uint64_t bytes = proto_get_uint(t, "bytes_done", 0), us = proto_get_uint(t, "elapsed_us", 0),
             files = proto_get_uint(t, "files", 0);
    bool outgoing = proto_get_bool(t, "outgoing");
    size_t len, dir_len;
    const char *contact = proto_get_str(t, "contact", &len);
    const char *dir = proto_get_str(t, "dir", &dir_len);
    print_size(size, bytes);
    print_duration(took, us);
    print_rate(rate, bytes, us);
    printf("%s %llu file%s, %s (%llu bytes) in %s (%s), %s ", outgoing ? "sent" : "received",
           (unsigned long long)files, files == 1 ? "" : "s", size, (unsigned long long)bytes, took,
           rate, outgoing ? "to" : "from");
    print_text(stdout, contact, len);
    if (!outgoing && dir_len > 0) {
        fputs(", into ", stdout);
        print_text(stdout, dir, dir_len);
    }
    putchar('\n');
    fflush(stdout);
}

int transfer_report(struct app *a, const msgpack_object *t) {
    const msgpack_object *error = proto_get(t, "error");
    bool failed = proto_str_is(proto_get(t, "state"), "failed");
    int code = 0;
    json_t *held = NULL;
    if (failed) {
        a->hold = true;
        code = app_fail_as(a, proto_get_bool(t, "outgoing") ? ADVICE_SEND : ADVICE_RECV,
                           error && error->type == MSGPACK_OBJECT_MAP ? error : NULL);
        held = app_take_held(a);
    }
    if (a->o.json) {
        json_t *o = to_json(a, t);
        if (held)
            json_object_set(o, "error", json_object_get(held, "error"));
        print_json(o);
    } else if (!failed) {
        print_line(t);
    }
    json_decref(held);
    return code;
}

/* ---- verbs ---- */

static void add_row(struct table *t, const msgpack_object *o) {
    char size[PRINT_NUMBER_MAX], percent[16];
    uint64_t total = proto_get_uint(o, "bytes_total", 0), done = proto_get_uint(o, "bytes_done", 0);
    table_uint(t, proto_get_uint(o, "id", 0));
    table_cell(t, proto_get_bool(o, "outgoing") ? "out" : "in");
    table_str(t, o, "contact");
    table_str(t, o, "state");
    table_uint(t, proto_get_uint(o, "files", 0));
    print_size(size, total);
    table_cell(t, size);
    snprintf(percent, sizeof percent, "%u %%",
             total ? (unsigned)((double)done * 100 / (double)total) : 0);
    table_cell(t, percent);
    table_str(t, proto_get(o, "error"), "text");
}

int run_transfers(struct app *a) {
    return app_show_list(a, "transfer.list", "transfers",
                         ">N|WAY|CONTACT|STATE|>FILES|>SIZE|>DONE|ERROR", add_row);
}

/* A method whose only result is that it worked; with --json, {said: number}, if not NULL. */
static int act_on(struct app *a, const char *method, const char *said) {
    struct proto_msg m;
    uint64_t id;
    char dir[PATH_TEXT_MAX];
    if (!options_number(a->words[0], &id))
        return app_fail(a, ERR_USAGE,
                        "\"%s\" is not a transfer's number; list them with: meshctl transfers ls",
                        a->words[0]);
    if (a->o.out) {
        int code = transfer_path(a, a->o.out, dir);
        if (code)
            return code;
    }
    struct proto_writer *w = app_ask(a, method);
    proto_uint(w, "id", id);
    if (a->o.out)
        proto_str(w, "dir", dir);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json && said) {
        json_t *o = json_object();
        json_object_set_new(o, said, json_integer((json_int_t)id));
        print_json(o);
    }
    proto_msg_clear(&m);
    return 0;
}

/* With --json, the transfer as it stands then. */
int run_accept(struct app *a) {
    struct proto_msg m;
    uint64_t id = 0;
    int code = act_on(a, "transfer.accept", NULL);
    if (code || !a->o.json || !options_number(a->words[0], &id))
        return code;
    proto_uint(app_ask(a, "transfer.get"), "id", id);
    code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    code = transfer_report(a, proto_get(&m.result, "transfer"));
    proto_msg_clear(&m);
    return code;
}

int run_reject(struct app *a) {
    return act_on(a, "transfer.reject", "rejected");
}

int run_cancel(struct app *a) {
    return act_on(a, "transfer.cancel", "cancelled");
}
