/* app.h: one run of meshctl: its options, its connection, and how it fails. Exit codes:
 * docs/CONTROL.md.
 *
 * A verb writes arguments into what app_ask gives, and takes the answer with app_answer. Errors
 * stick until then: no daemon, an error answer, a broken connection are all reported there, once,
 * and give the exit code.
 */
#ifndef MESHD_CLI_KIT_APP_H
#define MESHD_CLI_KIT_APP_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "cli/kit/advice.h"
#include "cli/kit/client.h"
#include "cli/kit/options.h"
#include "cli/screen/print.h"
#include "cli/screen/table.h"
#include "node/api/xdg.h"

struct app;

struct verb {
    const char *name;     /* one or two words */
    const char *synopsis; /* what follows the name */
    const char *options;  /* long names, separated by blanks */
    int min, max;         /* words after the name */
    int (*run)(struct app *a);
    const char *brief; /* one line */
    const char *help;  /* the rest of --help; may be "" */
};

struct app {
    struct options o;
    const struct verb *verb, *verbs; /* this one; all of them */
    int verb_count;
    char **words; /* after the verb's name */
    int word_count;
    char socket[PATH_TEXT_MAX];
    struct client client;
    uint32_t request; /* last one */
    char method[PROTO_METHOD_MAX + 1];
    int err;          /* sticks until app_answer */
    bool interrupted; /* a signal ended it: exit code 130 */
    bool quiet;       /* errors are not told, neither as a sentence nor as JSON */
    /* what a sentence about an error begins with, where several may be meant; or NULL */
    const char *subject;
    bool hold; /* errors' JSON objects are kept in `held` (the last one) instead of printed */
    json_t *held;
};

enum {
    EXIT_INTERRUPTED = 130,
    LIST_MAX = 1 << 20, /* entries taken from a daemon */
};

/* Prints "meshctl: SENTENCE" to standard error, and with --json an object with "error" to standard
 * output. Gives the exit code. Everything printed is escaped. */
int app_fail(struct app *a, int err, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* The same for an error map from the daemon, with a hint that suits the method. NULL: err_text. */
int app_fail_map(struct app *a, const char *method, const msgpack_object *error);
/* The error says that the contact's node has answered and does not let this one in. */
bool app_denied(int err);
/* The same where the method does not say what was wanted. */
int app_fail_as(struct app *a, enum advice_op op, const msgpack_object *error);
/* Gives the held object, to be given back to jansson, or NULL; ends the holding. */
json_t *app_take_held(struct app *a);
/* A sentence for standard error that is no failure. */
void app_say(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Where the control socket is: as these options say, or the environment. 0 or the exit code,
 * reported. */
int app_find_socket(struct app *a, const struct options *o);
/* Opens a request (and the connection, if there is none yet). Never NULL. */
struct proto_writer *app_ask(struct app *a, const char *method);
/* Sends what app_ask opened, without waiting. 0 or the exit code. */
int app_send(struct app *a);
/* Sends it and waits timeout_us for the answer (UINT64_MAX: for ever). 0: the result is in
 * m->result, to be cleared by the caller; else the exit code, reported already. */
int app_answer(struct app *a, uint64_t timeout_us, struct proto_msg *m);
/* The same for a request that begins something which has to be ended on a signal, so that its
 * number must be known: a first signal only sets a->interrupted. Waits CLIENT_ANSWER_US at most. */
int app_answer_surely(struct app *a, struct proto_msg *m);
/* All pages of a listing method: each entry of the array `key` goes to `all` (if not NULL) as JSON
 * and to row(t) (if not NULL). `id` 0: none. 0 or the exit code. */
int app_list(struct app *a, const char *method, const char *key, uint64_t id, json_t *all,
             void (*row)(struct table *t, const msgpack_object *entry), struct table *t);
/* The whole of a listing verb: a table, or with --json an object with the array `key`. */
int app_show_list(struct app *a, const char *method, const char *key, const char *headers,
                  void (*row)(struct table *t, const msgpack_object *entry));
/* What was printed has gone nowhere: the exit code, with a sentence that says why. */
int app_stdout_failed(struct app *a);
/* Reports a failure of the connection itself. */
int app_broken(struct app *a, int err);

/* --timeout, or `fallback_us`. False: reported, *code is the exit code. */
bool app_timeout(struct app *a, uint64_t fallback_us, uint64_t *us, int *code);

/* ---- verbs ---- */
int run_id(struct app *a);
int run_status(struct app *a);
int run_ticket(struct app *a);
int run_wait(struct app *a);
int run_contact_add(struct app *a);
int run_contact_ls(struct app *a);
int run_contact_path(struct app *a);
int run_contact_rename(struct app *a);
int run_contact_rm(struct app *a);
int run_peers(struct app *a);
int run_relays(struct app *a);
int run_ping(struct app *a);
int run_send(struct app *a);
int run_recv(struct app *a);
int run_transfers(struct app *a);
int run_transfer_show(struct app *a);
int run_accept(struct app *a);
int run_reject(struct app *a);
int run_cancel(struct app *a);
int run_msg(struct app *a);
int run_msgs(struct app *a);
int run_events(struct app *a);
int run_complete(struct app *a);

#endif
