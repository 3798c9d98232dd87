/* message.c: msg, msgs */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/kit/meter.h"
#include "cli/screen/json.h"
#include "cli/screen/line.h"
#include "net/os/interrupt.h"
#include "node/api/utf8.h"

enum { MESSAGE_MAX = 64 * 1024 }; /* the daemon's limit, plus a line end here */

static int read_text(struct app *a, char out[static MESSAGE_MAX + 2], size_t *len) {
    *len = fread(out, 1, MESSAGE_MAX + 2, stdin);
    if (ferror(stdin) && interrupt_seen())
        return app_broken(a, ERR_CANCELLED);
    if (ferror(stdin))
        return app_fail(a, ERR_IO, "reading standard input failed; check where it comes from");
    if (*len > 0 && out[*len - 1] == '\n')
        (*len)--;
    if (*len > MESSAGE_MAX)
        return app_fail(a, ERR_USAGE, "a message has %d bytes at most; send a file instead",
                        MESSAGE_MAX);
    return 0;
}

/* `refused`: the peer's reason and what to do about it, or NULL. */
static int show_outcome(struct app *a, uint64_t seq, bool delivered,
                        const struct failure *refused) {
    const char *name = a->words[0];
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "seq", json_integer((json_int_t)seq));
        json_object_set_new(o, "contact", json_text(name, strlen(name)));
        json_object_set_new(o, "delivered", json_boolean(delivered));
        json_object_set_new(o, "queued", json_boolean(!delivered));
        json_object_set_new(o, "refused",
                            refused ? json_string(err_name(refused->err)) : json_null());
        json_object_set_new(o, "denied", json_null());
        print_json(o);
    }
    if (delivered)
        return 0;
    char why[ADVICE_SAY_MAX];
    if (refused)
        advice_say(why, ADVICE_MESSAGE, refused);
    if (refused)
        app_say("%s does not take it now, it is queued and sent again: %s", name, why);
    else
        app_say("%s has not answered; the message is queued and goes out when they are reachable",
                name);
    return err_exit_code(ERR_OFFLINE);
}

/* Whether it waits; else they have refused it for good, whatever they call that. */
static bool still_queued(struct app *a, uint64_t seq) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "message.list");
    proto_uint(w, "after", seq - 1);
    proto_uint(w, "limit", 1);
    if (app_answer(a, CLIENT_ANSWER_US, &m))
        return false;
    const msgpack_object *o = proto_at(proto_get(&m.result, "messages"), 0);
    const bool queued =
        proto_get_uint(o, "seq", 0) == seq && proto_str_is(proto_get(o, "state"), "queued");
    proto_msg_clear(&m);
    return queued;
}

/* They have answered, and do not let this node in. */
static int show_denied(struct app *a, uint64_t seq, const msgpack_object *error) {
    const char *name = a->words[0];
    a->hold = true; /* one object, with the error in it */
    const int code = app_fail_map(a, "message.wait", error);
    json_t *held = app_take_held(a);
    app_say("the message is queued, and goes out once they let this node in");
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "seq", json_integer((json_int_t)seq));
        json_object_set_new(o, "contact", json_text(name, strlen(name)));
        json_object_set_new(o, "delivered", json_false());
        json_object_set_new(o, "queued", json_true());
        json_object_set_new(o, "refused", json_null());
        json_object_set(o, "denied", json_object_get(held, "error"));
        print_json(o);
    }
    json_decref(held);
    return code;
}

/* It has not been delivered in time. Why not? */
static int show_waiting(struct app *a, uint64_t seq) {
    struct proto_msg m;
    char text[ADVICE_SAY_MAX / 2], detail[256];
    struct failure refused = {0};
    struct proto_writer *w = app_ask(a, "message.list");
    proto_uint(w, "after", seq - 1);
    proto_uint(w, "limit", 1);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    const msgpack_object *o = proto_at(proto_get(&m.result, "messages"), 0);
    const msgpack_object *error = proto_get(o, "error");
    if (proto_get_uint(o, "seq", 0) == seq && error && error->type == MSGPACK_OBJECT_MAP)
        refused = advice_failure(error, text, detail);
    proto_msg_clear(&m);
    return show_outcome(a, seq, false, refused.err ? &refused : NULL);
}

/* Waits for the receipt. The message is safe whatever happens here. */
static int await_receipt(struct app *a, uint64_t seq, uint64_t timeout_us) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "message.wait");
    proto_uint(w, "seq", seq);
    proto_uint(w, "timeout_us", timeout_us);
    proto_bool(w, "until_offline", !a->o.timeout);
    int code = app_send(a);
    if (code)
        return code;
    meter_say("waiting until %s has it", a->words[0]);
    int err =
        client_answer(&a->client, a->request, clock_now_us() + timeout_us + CLIENT_ANSWER_US, &m);
    line_clear();
    if (err)
        return app_broken(a, err);
    uint64_t num = proto_get_uint(&m.error, "num", 0);
    bool late = false;
    if (m.error.type == MSGPACK_OBJECT_NIL)
        code = show_outcome(a, seq, true, NULL);
    else if (err_from_wire(num) == ERR_TIMEOUT || err_from_wire(num) == ERR_OFFLINE)
        late = true;
    else if (app_denied(err_from_wire(num)) && still_queued(a, seq))
        code = show_denied(a, seq, &m.error);
    else
        code = app_fail_map(a, "message.wait", &m.error);
    proto_msg_clear(&m);
    return late ? show_waiting(a, seq) : code;
}

int run_msg(struct app *a) {
    static char buf[MESSAGE_MAX + 2];
    struct proto_msg m;
    const char *text = a->words[1];
    size_t len = strlen(text);
    uint64_t timeout_us;
    int code = 0;
    if (!app_timeout(a, 5000000, &timeout_us, &code))
        return code;
    if (strcmp(text, "-") == 0) {
        code = read_text(a, buf, &len);
        if (code)
            return code;
        text = buf;
    }
    if (len == 0 || len > MESSAGE_MAX || !utf8_valid(text, len))
        return app_fail(a, ERR_USAGE,
                        "a message is 1 to %d bytes of UTF-8; send other things as a file",
                        MESSAGE_MAX);
    struct proto_writer *w = app_ask(a, "message.send");
    proto_str(w, "contact", a->words[0]);
    proto_strn(w, "text", text, len);
    code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    uint64_t seq = proto_get_uint(&m.result, "seq", 0);
    proto_msg_clear(&m);
    return timeout_us ? await_receipt(a, seq, timeout_us) : show_outcome(a, seq, false, NULL);
}

/* ---- msgs ---- */

/* " (queued)", " (refused: full)", " (failed: protocol)", " (cancelled)" */
static void print_state(FILE *f, const msgpack_object *o) {
    size_t len;
    const char *state = proto_get_str(o, "state", &len);
    fprintf(f, " (%.*s", (int)len, state);
    const char *code = proto_get_str(proto_get(o, "error"), "code", &len);
    if (len)
        fprintf(f, ": %.*s", (int)len, code);
    fputc(')', f);
}

/* "5  2026-11-21 14:05:09  from bob: " */
static void print_head(FILE *f, const msgpack_object *o) {
    char when[PRINT_NUMBER_MAX];
    size_t len;
    bool outgoing = proto_get_bool(o, "outgoing");
    const char *name = proto_get_str(o, "contact", &len);
    print_time(when, proto_get_uint(o, "wall_us", 0));
    fprintf(f, "%llu  %s  %s ", (unsigned long long)proto_get_uint(o, "seq", 0), when,
            outgoing ? "to" : "from");
    print_text(f, name, len);
    if (outgoing && !proto_get_bool(o, "delivered"))
        print_state(f, o);
    fputs(": ", f);
}

static void print_message(struct app *a, const msgpack_object *o) {
    if (a->o.json) {
        print_json(json_from(o));
        return;
    }
    size_t len;
    const char *text = proto_get_str(o, "text", &len);
    print_prose(stdout, print_head, o, text, len);
    putchar('\n');
}

/* Everything newer than *after, page by page. `all` not NULL: collected there instead of printed.
 */
static int print_new(struct app *a, uint64_t *after, json_t *all) {
    bool more = true;
    while (more) {
        struct proto_msg m;
        const msgpack_object *at;
        struct proto_writer *w = app_ask(a, "message.list");
        if (a->o.with)
            proto_str(w, "contact", a->o.with);
        proto_uint(w, "after", *after);
        int code = app_answer(a, CLIENT_ANSWER_US, &m);
        if (code)
            return code;
        for (uint32_t i = 0; (at = proto_at(proto_get(&m.result, "messages"), i)) != NULL; i++) {
            if (all)
                json_array_append_new(all, json_from(at));
            else
                print_message(a, at);
        }
        uint64_t last = proto_get_uint(&m.result, "last", *after);
        more = proto_get_bool(&m.result, "more") && last > *after;
        *after = last > *after ? last : *after;
        proto_msg_clear(&m);
        more = more && (!all || json_array_size(all) < LIST_MAX);
    }
    fflush(stdout);
    return 0;
}

static int subscribe(struct app *a) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "events.subscribe");
    proto_array(w, "kinds");
    proto_str(w, NULL, "message");
    proto_str(w, NULL, "message.delivered");
    proto_end(w);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    proto_msg_clear(&m);
    return code;
}

static int follow(struct app *a, uint64_t after) {
    int code = subscribe(a);
    while (code == 0) {
        struct proto_msg m;
        code = print_new(a, &after, NULL);
        if (code || ferror(stdout))
            return code ? code : 1;
        int err = client_note(&a->client, UINT64_MAX, &m);
        if (err)
            return app_broken(a, err);
        proto_msg_clear(&m);
    }
    return code;
}

static int delete_messages(struct app *a, uint64_t after) {
    uint64_t deleted = 0;
    bool more = true;
    while (more) {
        struct proto_msg m;
        struct proto_writer *w = app_ask(a, "message.delete");
        proto_str(w, "contact", a->o.with);
        proto_uint(w, "after", after);
        int code = app_answer(a, CLIENT_ANSWER_US, &m);
        if (code)
            return code;
        deleted += proto_get_uint(&m.result, "deleted", 0);
        uint64_t last = proto_get_uint(&m.result, "last", after);
        more = proto_get_bool(&m.result, "more") && last > after;
        after = last;
        proto_msg_clear(&m);
    }
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "deleted", json_integer((json_int_t)deleted));
        print_json(o);
    } else {
        app_say(deleted == 1 ? "%llu message is deleted" : "%llu messages are deleted",
                (unsigned long long)deleted);
    }
    return 0;
}

int run_msgs(struct app *a) {
    uint64_t after = 0;
    if (a->o.after && !options_number(a->o.after, &after))
        return app_fail(a, ERR_USAGE, "--after needs a message's number, not \"%s\"", a->o.after);
    if (a->o.delete &&(!a->o.with || a->o.follow))
        return app_fail(a, ERR_USAGE, "--delete needs --with, and does not go with --follow");
    if (a->o.delete)
        return delete_messages(a, after);
    if (a->o.follow)
        return follow(a, after);
    if (!a->o.json)
        return print_new(a, &after, NULL);
    json_t *o = json_object(), *all = json_array();
    json_object_set_new(o, "messages", all);
    int code = print_new(a, &after, all);
    if (code == 0)
        print_json(json_incref(o));
    json_decref(o);
    return code;
}
