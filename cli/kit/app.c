#include "cli/kit/app.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/hint.h"
#include "cli/screen/json.h"
#include "cli/screen/line.h"
#include "cli/screen/name.h"
#include "cli/screen/table.h"
#include "cli/screen/terminal.h"
#include "net/os/file.h"
#include "net/os/interrupt.h"
#include "net/os/tty.h"
#include "node/api/quote.h"

enum { SENTENCE_MAX = ADVICE_SAY_MAX };

/* "--state DIR" as it was given, or "": commands in a sentence need it, too. */
static char daemon_option[PATH_TEXT_MAX + 32];

static int exit_code(const struct app *a, int err) {
    bool signal = a->interrupted || interrupt_seen();
    return err == ERR_CANCELLED && signal ? EXIT_INTERRUPTED : err_exit_code(err);
}

static json_t *limit_json(const struct cause *c) {
    json_t *o = c->limit == LIMIT_NONE ? json_null() : json_object();
    if (c->limit == LIMIT_NONE)
        return o;
    const char *key = limit_key(c->limit);
    json_object_set_new(o, "name", json_string(limit_name(c->limit)));
    json_object_set_new(o, "max", c->max ? json_integer((json_int_t)c->max) : json_null());
    json_object_set_new(o, "key", key[0] ? json_string(key) : json_null());
    return o;
}

/* The contact that the command is about, as it was given. */
static const char *about(const struct app *a) {
    bool named = a->verb && a->word_count > 0 && strncmp(a->verb->synopsis, "NAME", 4) == 0;
    return named ? a->words[0] : NULL;
}

/* The sentence, and with --json the object. `sentence` is not escaped yet. */
static int report(struct app *a, const struct failure *f, const char *sentence) {
    const int err = f->err, code = exit_code(a, err);
    const char *detail = f->detail ? f->detail : "";
    char named[SENTENCE_MAX], text[SENTENCE_MAX];
    hint_name(named, sizeof named, sentence, about(a));
    hint_daemon(text, sizeof text, named, daemon_option);
    if (!a->quiet) {
        line_clear();
        fflush(stdout);
        fprintf(stderr, "meshctl: %s%s", a->subject ? a->subject : "", a->subject ? ": " : "");
        print_text(stderr, text, strlen(text));
        fputc('\n', stderr);
    }
    if (a->o.json && (!a->quiet || a->hold)) {
        json_t *e = json_object(), *o = json_object();
        json_object_set_new(e, "code", json_string(err_name(err)));
        json_object_set_new(e, "num", json_integer(-err));
        json_object_set_new(e, "exit", json_integer(code));
        json_object_set_new(e, "side", json_string(side_name(f->cause.side)));
        json_object_set_new(e, "limit", limit_json(&f->cause));
        json_object_set_new(e, "text", json_text(text, strlen(text)));
        json_object_set_new(e, "detail", json_text(detail, strlen(detail)));
        json_object_set_new(o, "error", e);
        if (!a->hold) {
            print_json(o);
        } else {
            json_decref(a->held);
            a->held = o;
        }
    }
    return code;
}

json_t *app_take_held(struct app *a) {
    json_t *o = a->held;
    a->held = NULL;
    a->hold = false;
    return o;
}

int app_fail(struct app *a, int err, const char *fmt, ...) {
    char text[SENTENCE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const struct failure f = {.err = err}; /* what meshctl finds is found here */
    return report(a, &f, text);
}

void app_say(const char *fmt, ...) {
    char said[SENTENCE_MAX], text[SENTENCE_MAX];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(said, sizeof said, fmt, ap);
    va_end(ap);
    hint_daemon(text, sizeof text, said, daemon_option);
    line_clear();
    fputs("meshctl: ", stderr);
    print_text(stderr, text, strlen(text));
    fputc('\n', stderr);
}

int app_fail_as(struct app *a, enum advice_op op, const msgpack_object *error) {
    char text[ADVICE_SAY_MAX / 2], detail[256], all[ADVICE_SAY_MAX];
    const struct failure f = advice_failure(error, text, detail);
    advice_say(all, op, &f);
    return report(a, &f, all);
}

int app_fail_map(struct app *a, const char *method, const msgpack_object *error) {
    return app_fail_as(a, advice_op(method), error);
}

static int app_limit(struct app *a, enum limit limit, uint64_t max) {
    char all[ADVICE_SAY_MAX];
    const struct failure f = {limit_err(limit), {.limit = limit, .max = max}, NULL, NULL};
    advice_say(all, ADVICE_OTHER, &f);
    return report(a, &f, all);
}

bool app_denied(int err) {
    return err == ERR_TICKET || err == ERR_UNKNOWN || err == ERR_SECRET || err == ERR_STALE ||
           err == ERR_AUTH;
}

int app_stdout_failed(struct app *a) {
    const bool closed = tty_stdout_is_closed();
    a->o.json = false; /* nobody would read it */
    return app_fail(a, ERR_IO, "%s",
                    closed ? "standard output is closed: nobody got what was to be printed"
                           : "writing to standard output failed; is its disk full?");
}

/* ---- where the daemon is ---- */

static void remember(const char *option, const char *value) {
    char word[PATH_TEXT_MAX];
    (void)quote_word(word, sizeof word, value);
    snprintf(daemon_option, sizeof daemon_option, "%s %s", option, word);
}

/* The socket of the daemon with this state directory. "~/" is ours to expand: no shell does it in
 * --state=~/x. */
static int state_socket(struct app *a, const char *dir) {
    char absolute[PATH_TEXT_MAX];
    const char *home = getenv("HOME");
    if (dir[0] == '~' && home && paths_absolute(absolute, sizeof absolute, dir, home, "/") == 0)
        dir = absolute;
    if (paths_state_socket(a->socket, sizeof a->socket, dir) != 0)
        return app_broken(a, ERR_USAGE);
    remember("--state", dir);
    return 0;
}

int app_find_socket(struct app *a, const struct options *o) {
    const char *given = o->socket ? o->socket : getenv("MESHD_SOCKET");
    if (o->socket && o->state)
        return app_fail(a, ERR_USAGE,
                        "--socket and --state both say where the control socket is; give one");
    if (o->state)
        return state_socket(a, o->state);
    if (given && given[0]) {
        int n = snprintf(a->socket, sizeof a->socket, "%s", given);
        if (o->socket)
            remember("--socket", given);
        return n > 0 && (size_t)n < sizeof a->socket ? 0 : app_broken(a, ERR_USAGE);
    }
    if (paths_socket(a->socket, sizeof a->socket, getenv("XDG_RUNTIME_DIR"),
                     getenv("XDG_STATE_HOME"), getenv("HOME")) != 0)
        return app_fail(a, ERR_USAGE,
                        "where is the control socket? give --socket PATH or set HOME");
    return 0;
}

/* How the daemon that does not answer is started. */
static void start_command(const struct app *a, char out[static SENTENCE_MAX / 2]) {
    const char *env = getenv("MESHD_SOCKET");
    char dir[PATH_TEXT_MAX];
    struct os_info info;
    if (a->o.state || a->o.socket)
        snprintf(out, SENTENCE_MAX / 2, "meshd %.440s%s", daemon_option,
                 a->o.state && paths_parent(dir, sizeof dir, a->socket) == 0 &&
                         os_path_info(dir, true, &info) != 0
                     ? " (there is no such directory)"
                     : "");
    else if (env && env[0])
        snprintf(out, SENTENCE_MAX / 2, "meshd, or unset MESHD_SOCKET, which names this socket");
    else
        snprintf(out, SENTENCE_MAX / 2, "meshd");
}

/* ---- the connection ---- */

/* What an interrupted wait leaves behind. */
static const char *after_interrupt(const char *method) {
    static const struct {
        const char *method, *text;
    } left[] = {
        {"message.wait", "; the message stays queued and goes out when they are reachable"},
        {"message.send", "; see whether the message was stored with: meshctl msgs"},
        {"transfer.accept", "; see whether it was accepted with: meshctl transfers ls"},
        {"transfer.send", "; see whether it was offered with: meshctl transfers ls"},
        {"contact.add", "; see whether it was added with: meshctl contact ls"},
    };
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        if (strcmp(method, left[i].method) == 0)
            return left[i].text;
    return "";
}

int app_broken(struct app *a, int err) {
    char start[SENTENCE_MAX / 2];
    switch (err) {
    case ERR_NO_DAEMON:
        start_command(a, start);
        return app_fail(a, err, "meshd is not running (no answer at %s); start it with: %s",
                        a->socket, start);
    case ERR_PERM:
        return app_fail(a, err,
                        "the socket %s belongs to somebody else; run meshctl as the user that "
                        "runs meshd, or choose another socket with --socket",
                        a->socket);
    case ERR_AUTH:
        return app_fail(
            a, err,
            "another user answers at %s, or could; nothing was sent. Run meshctl as the "
            "user that runs meshd, whose socket is in a directory only that user, or "
            "root, can write to",
            a->socket);
    case ERR_USAGE:
        return app_fail(a, err, "the socket's path is longer than the system allows: %s",
                        a->socket);
    case ERR_CANCELLED:
        return app_fail(a, err, "interrupted%s", after_interrupt(a->method));
    case ERR_TIMEOUT:
        return app_fail(a, err, "meshd did not answer in time; look at its log, or restart it");
    case ERR_CLOSED:
        start_command(a, start);
        return app_fail(a, ERR_NO_DAEMON, "meshd has gone away; start it again with: %s", start);
    case ERR_AGAIN:
        return app_fail(
            a, err, "more happened than could be shown in time, and meshd gave up; start again");
    case ERR_PROTO:
        return app_fail(a, err, "what answers at %s is not meshd, or not of this version",
                        a->socket);
    case ERR_FULL:
        return app_limit(a, LIMIT_REQUEST_BYTES, CLIENT_MESSAGE_MAX);
    case ERR_REFUSED:
        return app_limit(a, LIMIT_CONNECTIONS, a->client.most);
    default:
        return app_fail(a, err, "talking to meshd failed: %s", err_text(err));
    }
}

/* ---- requests ---- */

struct proto_writer *app_ask(struct app *a, const char *method) {
    snprintf(a->method, sizeof a->method, "%s", method);
    a->err = 0;
    if (!os_connection_is_open(a->client.connection))
        a->err = client_open(&a->client, a->socket);
    if (a->err)
        proto_writer_init(&a->client.out, CLIENT_MESSAGE_MAX); /* filled in vain */
    return client_request(&a->client, method, &a->request);
}

int app_send(struct app *a) {
    int err = a->err ? a->err : client_send(&a->client);
    if (a->err) {
        a->err = 0;
        proto_writer_clear(&a->client.out);
    }
    return err ? app_broken(a, err) : 0;
}

/* What client_answer has given, as a success or a reported failure. */
static int answered(struct app *a, int err, struct proto_msg *m) {
    if (err)
        return app_broken(a, err);
    if (m->error.type != MSGPACK_OBJECT_NIL) {
        int code = app_fail_map(a, a->method, &m->error);
        proto_msg_clear(m);
        return code;
    }
    if (m->result.type != MSGPACK_OBJECT_MAP) {
        proto_msg_clear(m);
        return app_broken(a, ERR_PROTO);
    }
    return 0;
}

int app_answer(struct app *a, uint64_t timeout_us, struct proto_msg *m) {
    *m = (struct proto_msg){0};
    int code = app_send(a);
    if (code)
        return code;
    uint64_t deadline_us = timeout_us == UINT64_MAX ? UINT64_MAX : clock_now_us() + timeout_us;
    return answered(a, client_answer(&a->client, a->request, deadline_us, m), m);
}

int app_answer_surely(struct app *a, struct proto_msg *m) {
    *m = (struct proto_msg){0};
    int code = app_send(a);
    if (code)
        return code;
    uint64_t deadline_us = clock_now_us() + CLIENT_ANSWER_US;
    int err = client_answer(&a->client, a->request, deadline_us, m);
    if (err == ERR_CANCELLED && interrupt_seen()) {
        interrupt_clear();
        a->interrupted = true;
        err = client_answer(&a->client, a->request, deadline_us, m);
    }
    return answered(a, err, m);
}

bool app_timeout(struct app *a, uint64_t fallback_us, uint64_t *us, int *code) {
    *us = fallback_us;
    if (!a->o.timeout || options_duration(a->o.timeout, us))
        return true;
    *code = app_fail(a, ERR_USAGE, "--timeout needs a duration like 30, 90s, 5m or 2h, not \"%s\"",
                     a->o.timeout);
    return false;
}

/* ---- listings ---- */

int app_list(struct app *a, const char *method, const char *key, uint64_t id, json_t *all,
             void (*row)(struct table *t, const msgpack_object *entry), struct table *t) {
    uint64_t offset = 0, seen = 0, next;
    do {
        struct proto_msg m;
        const msgpack_object *at;
        struct proto_writer *w = app_ask(a, method);
        if (id)
            proto_uint(w, "id", id);
        if (offset)
            proto_uint(w, "offset", offset);
        int code = app_answer(a, CLIENT_ANSWER_US, &m);
        if (code)
            return code;
        for (uint32_t i = 0; (at = proto_at(proto_get(&m.result, key), i)) != NULL; i++, seen++) {
            if (all)
                json_array_append_new(all, json_from(at));
            if (row)
                row(t, at);
        }
        next = proto_get_uint(&m.result, "next", 0);
        bool odd = (next && next <= offset) || seen > LIST_MAX;
        proto_msg_clear(&m);
        if (odd)
            return app_broken(a, ERR_PROTO);
        offset = next;
    } while (next);
    return 0;
}

int app_show_list(struct app *a, const char *method, const char *key, const char *headers,
                  void (*row)(struct table *t, const msgpack_object *entry)) {
    struct table t;
    json_t *o = json_object(), *all = json_array();
    json_object_set_new(o, key, all);
    table_init(&t, headers);
    int code = app_list(a, method, key, 0, a->o.json ? all : NULL, a->o.json ? NULL : row, &t);
    if (code == 0 && a->o.json)
        print_json(json_incref(o));
    else if (code == 0)
        table_print(&t, stdout, terminal_columns(stdout));
    table_clear(&t);
    json_decref(o);
    return code;
}
