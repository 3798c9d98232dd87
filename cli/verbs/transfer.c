/* transfer.c: transfers ls, transfers show, accept, reject, cancel, and how the end of a transfer
 * is told */
#include "cli/verbs/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/json.h"
#include "cli/screen/line.h"
#include "cli/screen/name.h"
#include "cli/screen/table.h"
#include "cli/screen/terminal.h"
#include "crypto/base/err.h"
#include "net/os/dir.h"

static bool is_dir(const char *path) {
    struct os_info info;
    return os_path_info(path, true, &info) == 0 && info.kind == OS_DIRECTORY;
}

int transfer_path(struct app *a, const char *path, char out[static PATH_TEXT_MAX]) {
    char dir[PATH_TEXT_MAX], real[PATH_TEXT_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const bool is_name = !is_dir(path);
    bool fits = !is_name || paths_parent(dir, sizeof dir, path) == 0;
    const int err = fits ? os_dir_real_path(is_name ? dir : path, real, sizeof real) : 0;
    if (fits && err == 0)
        fits = is_name ? paths_join(out, PATH_TEXT_MAX, real, name) == 0
                       : snprintf(out, PATH_TEXT_MAX, "%s", real) < PATH_TEXT_MAX;
    if (!fits)
        return app_fail(a, ERR_USAGE, "the path is longer than %d bytes: %s", PATH_TEXT_MAX - 1,
                        path);
    return err ? app_fail(a, err == EACCES ? ERR_PERM : ERR_NOT_FOUND,
                          "cannot find %s: %s; check the path", path, strerror(err))
               : 0;
}

int transfer_dir(struct app *a, const char *path, char out[static PATH_TEXT_MAX]) {
    char parent[PATH_TEXT_MAX], given[PATH_TEXT_MAX];
    struct os_info info;
    snprintf(given, sizeof given, "%s", path);
    for (size_t n = strlen(given); n > 1 && given[n - 1] == '/'; n--)
        given[n - 1] = '\0'; /* "new/", too, may be one that is not there yet */
    if (strlen(path) < sizeof given)
        path = given;
    const bool there = os_path_info(path, true, &info) == 0;
    if (there && info.kind != OS_DIRECTORY)
        return app_fail(a, ERR_USAGE, "%s is not a directory; give --out one to receive into",
                        path);
    int code = transfer_path(a, path, out);
    if (code)
        return code;
    if (paths_parent(parent, sizeof parent, out) != 0)
        return app_fail(a, ERR_USAGE, "the path is too long: %s", path);
    const int err = os_dir_may_write(there ? out : parent);
    /* What is mounted so may be mounted otherwise when a transfer comes: then meshd judges. */
    if (err == EROFS)
        app_say(
            "%s is read-only now: what comes will be refused; choose another directory with --out",
            there ? path : parent);
    else if (err)
        return app_fail(a, err == EACCES ? ERR_PERM : ERR_IO,
                        "cannot write to %s: %s; choose another directory with --out",
                        there ? path : parent, strerror(err));
    if (!there)
        app_say("%s is not there yet; it is made when a transfer comes", path);
    return 0;
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

/* "plan.txt and 2 more, 1.20 MB (1200000 bytes)" */
static void put_what(FILE *f, const msgpack_object *t, size_t columns) {
    char size[PRINT_NUMBER_MAX];
    const uint64_t bytes = proto_get_uint(t, "bytes_total", 0);
    char *files = name_of_files(t, columns);
    print_size(size, bytes);
    fprintf(f, "%s, %s (%llu bytes)", files, size, (unsigned long long)bytes);
    free(files);
}

static void put_str(FILE *f, const char *before, const msgpack_object *t, const char *key) {
    size_t len;
    const char *s = proto_get_str(t, key, &len);
    fputs(before, f);
    print_text(f, s, len);
}

/* Its speed is that of its bytes: the time until somebody said yes does not count. */
static void print_line(const msgpack_object *t) {
    char took[PRINT_NUMBER_MAX], rate[PRINT_NUMBER_MAX];
    const uint64_t us = proto_get_uint(t, "running_us", proto_get_uint(t, "elapsed_us", 0));
    const bool outgoing = proto_get_bool(t, "outgoing");
    size_t dir_len;
    (void)proto_get_str(t, "dir", &dir_len);
    print_duration(took, us);
    print_rate(rate, proto_get_uint(t, "bytes_done", 0), us);
    fputs(outgoing ? "sent " : "received ", stdout);
    put_what(stdout, t, terminal_columns(stdout) / 2);
    printf(" in %s (%s)", took, rate);
    put_str(stdout, outgoing ? ", to " : ", from ", t, "contact");
    if (!outgoing && dir_len > 0)
        put_str(stdout, ", into ", t, "dir");
    putchar('\n');
    fflush(stdout);
}

void transfer_say(const char *what, const msgpack_object *t, const char *more) {
    fprintf(stderr, "meshctl: %s ", what);
    put_what(stderr, t, terminal_columns(stderr) / 2);
    put_str(stderr, proto_get_bool(t, "outgoing") ? " to " : " from ", t, "contact");
    fprintf(stderr, "%s\n", more);
}

int transfer_detached(struct app *a, uint64_t id) {
    struct proto_msg m;
    int code = 0;
    if (a->o.json) {
        proto_uint(app_ask(a, "transfer.get"), "id", id);
        code = app_answer(a, CLIENT_ANSWER_US, &m);
        if (code == 0)
            code = transfer_report(a, proto_get(&m.result, "transfer"));
        proto_msg_clear(&m);
    } else {
        app_say("transfer %llu goes on without this command; see: meshctl transfers ls; stop it "
                "with: meshctl cancel %llu",
                (unsigned long long)id, (unsigned long long)id);
    }
    return code;
}

/* "plan.txt and 2 more from anna", escaped: who receives did not ask for this one, as who sends
 * did. */
static char *subject(const msgpack_object *t) {
    size_t len;
    const char *contact = proto_get_str(t, "contact", &len);
    char *files = name_of_files(t, terminal_columns(stderr) / 2);
    char *from = name_short(contact, len, 0), *all = NULL;
    if (asprintf(&all, "%s from %s", files, from) < 0)
        all = NULL;
    free(files);
    free(from);
    return all;
}

int transfer_report(struct app *a, const msgpack_object *t) {
    const msgpack_object *error = proto_get(t, "error");
    bool failed = proto_str_is(proto_get(t, "state"), "failed");
    int code = 0;
    json_t *held = NULL;
    line_clear();
    if (failed) {
        const bool outgoing = proto_get_bool(t, "outgoing");
        char *about = outgoing ? NULL : subject(t);
        a->hold = true;
        a->subject = about;
        code = app_fail_as(a, outgoing ? ADVICE_SEND : ADVICE_RECV,
                           error && error->type == MSGPACK_OBJECT_MAP ? error : NULL);
        a->subject = NULL;
        free(about);
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

static bool any_failed;       /* in the table */
enum { ERROR_HAS_ROOM = 80 }; /* columns: on a narrower terminal the errors may be left out */

static void add_row(struct table *t, const msgpack_object *o) {
    any_failed |= proto_str_is(proto_get(o, "state"), "failed");
    char size[PRINT_NUMBER_MAX], percent[16];
    uint64_t total = proto_get_uint(o, "bytes_total", 0), done = proto_get_uint(o, "bytes_done", 0);
    table_uint(t, proto_get_uint(o, "id", 0));
    table_cell(t, proto_get_bool(o, "outgoing") ? "out" : "in");
    table_str(t, o, "contact");
    table_str(t, o, "state");
    print_size(size, total);
    table_cell(t, size);
    snprintf(percent, sizeof percent, "%u %%",
             total ? (unsigned)((double)done * 100 / (double)total)
             : proto_str_is(proto_get(o, "state"), "done") ? 100
                                                           : 0); /* a file may be empty */
    table_cell(t, percent);
    char *files = name_of_files(o, 0);
    table_cell(t, files);
    free(files);
    table_str(t, proto_get(o, "error"), "text");
}

int run_transfers(struct app *a) {
    const unsigned columns = terminal_columns(stdout);
    int code = app_show_list(a, "transfer.list", "transfers",
                             ">N|WAY|~CONTACT|STATE|?>SIZE|?>DONE|~FILES|?~.ERROR", add_row);
    if (code == 0 && any_failed && columns && columns < ERROR_HAS_ROOM)
        app_say("why one has failed: meshctl transfers show N");
    return code;
}

/* The number that the command is about; false: reported, *code is the exit code. */
static bool take_number(struct app *a, uint64_t *id, int *code) {
    if (options_number(a->words[0], id))
        return true;
    *code = app_fail(a, ERR_USAGE,
                     "\"%s\" is not a transfer's number; list them with: meshctl transfers ls",
                     a->words[0]);
    return false;
}

/* The transfer as it stands: m->result's "transfer". */
static int get(struct app *a, uint64_t id, struct proto_msg *m) {
    proto_uint(app_ask(a, "transfer.get"), "id", id);
    return app_answer(a, CLIENT_ANSWER_US, m);
}

/* ---- transfers show ---- */

static void add_file(struct table *t, const msgpack_object *file) {
    char size[PRINT_NUMBER_MAX];
    table_str(t, file, "name");
    print_size(size, proto_get_uint(file, "bytes", 0));
    table_cell(t, size);
}

static void show_head(const msgpack_object *t) {
    char text[PRINT_NUMBER_MAX];
    const uint64_t files = proto_get_uint(t, "files", 0),
                   total = proto_get_uint(t, "bytes_total", 0);
    const msgpack_object *error = proto_get(t, "error");
    size_t len;
    printf("%-10s%llu", "transfer", (unsigned long long)proto_get_uint(t, "id", 0));
    put_str(stdout, proto_get_bool(t, "outgoing") ? ", to " : ", from ", t, "contact");
    put_str(stdout, "\nstate     ", t, "state");
    if (error && error->type == MSGPACK_OBJECT_MAP) {
        put_str(stdout, ": ", error, "text");
        (void)proto_get_str(error, "detail", &len);
        if (len > 0)
            put_str(stdout, ": ", error, "detail");
    }
    print_time(text, proto_get_uint(t, "wall_us", 0));
    printf("\n%-10s%s\n", "began", text);
    print_size(text, total);
    printf("%-10s%llu file%s, %s (%llu bytes)\n", "total", (unsigned long long)files,
           files == 1 ? "" : "s", text, (unsigned long long)total);
    print_size(text, proto_get_uint(t, "bytes_done", 0));
    printf("%-10s%llu of them, %s\n", "done",
           (unsigned long long)proto_get_uint(t, "files_done", 0), text);
    (void)proto_get_str(t, "dir", &len);
    if (len > 0) {
        put_str(stdout, "into      ", t, "dir");
        putchar('\n');
    }
}

int run_transfer_show(struct app *a) {
    struct proto_msg m;
    struct table t;
    uint64_t id;
    int code = 0;
    if (!take_number(a, &id, &code) || (code = get(a, id, &m)) != 0)
        return code;
    const msgpack_object *transfer = proto_get(&m.result, "transfer");
    json_t *o = json_object(), *files = json_array();
    json_object_set_new(o, "transfer", json_from(transfer));
    json_object_set_new(o, "files", files);
    table_init(&t, "~NAME|>SIZE");
    code = app_list(a, "transfer.files", "files", id, a->o.json ? files : NULL,
                    a->o.json ? NULL : add_file, &t);
    const uint64_t count = proto_get_uint(transfer, "files", 0), named = t.cells / 2 - 1;
    if (code == 0 && a->o.json) {
        print_json(json_incref(o));
    } else if (code == 0) {
        show_head(transfer);
        putchar('\n');
        table_print(&t, stdout, terminal_columns(stdout));
        if (named < count)
            app_say("the names of %llu more are not kept", (unsigned long long)(count - named));
    }
    table_clear(&t);
    json_decref(o);
    proto_msg_clear(&m);
    return code;
}

/* ---- accept, reject, cancel ---- */

/* A method whose only result is that it worked: `did` says so, and to what. With --json,
 * {said: number}, if not NULL. */
static int act_on(struct app *a, const char *method, const char *did, const char *said) {
    struct proto_msg m, about;
    uint64_t id;
    char dir[PATH_TEXT_MAX];
    int code = 0;
    if (!take_number(a, &id, &code))
        return code;
    if (a->o.out)
        code = transfer_dir(a, a->o.out, dir);
    if (code || (code = get(a, id, &about)) != 0)
        return code;
    struct proto_writer *w = app_ask(a, method);
    proto_uint(w, "id", id);
    if (a->o.out)
        proto_str(w, "dir", dir);
    code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code == 0 && !a->o.json)
        transfer_say(did, proto_get(&about.result, "transfer"), "");
    if (code == 0 && a->o.json && said) {
        json_t *o = json_object();
        json_object_set_new(o, said, json_integer((json_int_t)id));
        print_json(o);
    }
    proto_msg_clear(&about);
    if (code == 0)
        proto_msg_clear(&m);
    return code;
}

/* With --json, the transfer as it stands then. */
int run_accept(struct app *a) {
    uint64_t id = 0;
    int code = act_on(a, "transfer.accept", "receiving", NULL);
    if (code || !a->o.json || !options_number(a->words[0], &id))
        return code;
    return transfer_detached(a, id);
}

int run_reject(struct app *a) {
    return act_on(a, "transfer.reject", "refused", "rejected");
}

int run_cancel(struct app *a) {
    return act_on(a, "transfer.cancel", "cancelled", "cancelled");
}
