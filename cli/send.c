/* send.c: send */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/interrupt.h"
#include "cli/transfer.h"

static const char *kind_of(mode_t mode) {
    return S_ISFIFO(mode) ? "pipe" : S_ISSOCK(mode) ? "socket" : "device";
}

/* Looks at every path before anything is asked for: a misspelt one fails at once, not when the peer
 * has accepted. */
static int check_path(struct app *a, const char *path) {
    struct stat st;
    if (stat(path, &st) != 0)
        return app_fail(a, errno == EACCES ? ERR_PERM : ERR_NOT_FOUND,
                        "cannot send %s: %s; check the path", path, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return app_fail(
            a, ERR_UNSUPPORTED,
            "%s is a directory, which cannot be sent yet; send its files, or an archive of it",
            path);
    if (!S_ISREG(st.st_mode))
        return app_fail(a, ERR_UNSUPPORTED,
                        "%s is a %s, which cannot be sent; send a regular file, into which what "
                        "comes out of it was written",
                        path, kind_of(st.st_mode));
    return 0;
}

/* Asks for the transfer. 0 with its id, or the exit code. */
static int offer(struct app *a, uint64_t timeout_us, uint64_t *id) {
    struct proto_msg m;
    char path[PATH_TEXT_MAX];
    int code = 0;
    for (int i = 1; i < a->word_count && code == 0; i++)
        code = check_path(a, a->words[i]);
    if (code)
        return code;
    struct proto_writer *w = app_ask(a, "transfer.send");
    proto_str(w, "contact", a->words[0]);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    proto_array(w, "paths");
    for (int i = 1; i < a->word_count; i++) {
        code = transfer_path(a, a->words[i], path);
        if (code)
            return code;
        proto_str(w, NULL, path);
    }
    proto_end(w);
    code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    *id = proto_get_uint(&m.result, "id", 0);
    proto_msg_clear(&m);
    return 0;
}

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
    a->interrupted = true;
    a->hold = true; /* it may have ended just now, which is no further error */
    proto_uint(app_ask(a, "transfer.cancel"), "id", id);
    (void)app_answer(a, 5000000, &m);
    proto_msg_clear(&m);
    json_decref(app_take_held(a));
    return app_fail(a, ERR_CANCELLED, "interrupted; the transfer is cancelled");
}

/* Shows progress until the transfer has ended; then its exit code. */
static int follow(struct app *a, uint64_t id, struct progress *p) {
    proto_uint(app_ask(a, "transfer.wait"), "id", id);
    int code = app_send(a);
    if (code)
        return code;
    uint32_t request = a->request;
    for (;;) {
        struct proto_msg m;
        int err = client_either(&a->client, request, UINT64_MAX, &m);
        if (err) {
            progress_clear(p);
            return err == ERR_CANCELLED ? interrupted(a, id) : app_broken(a, err);
        }
        if (m.kind == PROTO_RESPONSE) {
            progress_clear(p);
            code = m.error.type == MSGPACK_OBJECT_NIL
                       ? transfer_report(a, proto_get(&m.result, "transfer"))
                       : app_fail_map(a, "transfer.wait", &m.error);
            proto_msg_clear(&m);
            return code;
        }
        if (proto_get_uint(&m.params, "id", 0) == id &&
            proto_str_is(proto_get(&m.params, "event"), "transfer.progress"))
            progress_update(p, proto_get_uint(&m.params, "at_us", 0),
                            proto_get_uint(&m.params, "bytes_done", 0),
                            proto_get_uint(&m.params, "bytes_total", 0));
        proto_msg_clear(&m);
    }
}

int run_send(struct app *a) {
    struct progress p;
    uint64_t timeout_us, id = 0;
    int code = 0;
    if (!app_timeout(a, 0, &timeout_us, &code))
        return code;
    progress_init(&p, true);
    if (p.on)
        code = subscribe(a);
    if (code == 0)
        code = offer(a, timeout_us, &id);
    if (code)
        return code;
    progress_say(&p, "waiting until the transfer is accepted");
    return follow(a, id, &p);
}
