/* contact.c: contact add, ls, path, rename, rm */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/kit/app.h"
#include "cli/kit/state.h"
#include "cli/screen/json.h"
#include "cli/screen/table.h"
#include "net/os/file.h"
#include "net/os/interrupt.h"

enum { TICKET_READ_MAX = 4096, ADD_WAIT_US = 3000000 };

/* The ticket from a file or standard input, without the white space around it. */
static int read_ticket(struct app *a, const char *path, char out[static TICKET_READ_MAX]) {
    FILE *f = path ? fopen(path, "rb") : stdin;
    struct os_info info;
    if (!f)
        return app_fail(a, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                        "cannot read the ticket from %s: %s; check the path", path,
                        strerror(errno));
    if (path && os_path_info(path, true, &info) == 0 && info.kind == OS_REGULAR &&
        (info.mode & 077) != 0)
        app_say("others on this computer can read %s; a ticket is a secret until it is used", path);
    size_t n = fread(out, 1, TICKET_READ_MAX - 1, f);
    bool failed = ferror(f) != 0;
    if (path)
        fclose(f);
    if (failed && interrupt_seen())
        return app_broken(a, ERR_CANCELLED);
    if (failed)
        return app_fail(a, ERR_IO, "reading the ticket failed; check where it comes from");
    while (n > 0 && strchr(" \t\r\n", out[n - 1]))
        n--;
    out[n] = '\0';
    size_t lead = strspn(out, " \t\r\n");
    memmove(out, out + lead, n + 1 - lead);
    if (out[0] == '\0')
        return app_fail(
            a, ERR_FORMAT,
            "there is no ticket in the input; ask them for one, made with: meshctl ticket");
    return 0;
}

int run_contact_add(struct app *a) {
    char ticket[TICKET_READ_MAX];
    char *word = a->word_count > 1 ? a->words[1] : NULL;
    struct proto_msg m;
    uint64_t timeout_us;
    int code = 0;
    if (!app_timeout(a, ADD_WAIT_US, &timeout_us, &code))
        return code;
    if (!word == !a->o.file)
        return app_fail(a, ERR_USAGE,
                        "give the ticket once: as '-' (standard input, best), --file PATH or text");
    if (a->o.file || strcmp(word, "-") == 0) {
        code = read_ticket(a, a->o.file, ticket);
        if (code)
            return code;
    } else {
        snprintf(ticket, sizeof ticket, "%s", word);
        memset(word, 'x', strlen(word)); /* no longer for everybody in the list of processes */
    }
    struct proto_writer *w = app_ask(a, "contact.add");
    proto_str(w, "name", a->words[0]);
    proto_str(w, "ticket", ticket);
    if (timeout_us)
        proto_uint(w, "timeout_us", timeout_us);
    code = app_answer(a, timeout_us + CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json)
        print_json(json_from(&m.result));
    if (timeout_us && !proto_get_bool(proto_get(&m.result, "contact"), "online"))
        app_say(
            "%s is added, but has not answered yet; the pairing is done when they can be reached",
            a->words[0]);
    proto_msg_clear(&m);
    return 0;
}

/* How many messages wait, and why they do not go; and that the contact's own find no room here. */
static void add_queued(struct table *t, const msgpack_object *c) {
    char text[96];
    size_t len;
    const char *refused = proto_get_str(proto_get(c, "refused"), "code", &len);
    snprintf(text, sizeof text, "%llu%s%.*s%s", (unsigned long long)proto_get_uint(c, "queued", 0),
             len ? ", refused: " : "", (int)(len < 32 ? len : 32), refused,
             proto_get_bool(c, "full") ? ", full here: msgs --delete" : "");
    table_cell(t, text);
}

static bool any_denied; /* in the table */

static void add_row(struct table *t, const msgpack_object *c) {
    any_denied |= proto_get_uint(proto_get(c, "denied"), "num", 0) != 0;
    table_str(t, c, "name");
    state_cell(t, c);
    table_cell(t, proto_get_bool(c, "paired") ? "paired" : "not yet");
    add_queued(t, c);
    table_str(t, c, "path");
    table_str(t, c, "id");
}

int run_contact_ls(struct app *a) {
    int code = app_show_list(a, "contact.list", "contacts",
                             "~NAME|STATE|?PAIRED|?>QUEUED|?PATH|?~ID", add_row);
    if (code == 0 && any_denied)
        app_say(
            "to be let in again, ask them for a new ticket (meshctl ticket), and add it under the "
            "same name");
    return code;
}

/* Two words that are two arguments; the answer is the contact. */
static int change(struct app *a, const char *method, const char *second) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, method);
    proto_str(w, "name", a->words[0]);
    proto_str(w, second, a->words[1]);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json)
        print_json(json_from(&m.result));
    proto_msg_clear(&m);
    return 0;
}

int run_contact_rename(struct app *a) {
    return change(a, "contact.rename", "to");
}

int run_contact_path(struct app *a) {
    return change(a, "contact.path", "path");
}

int run_contact_rm(struct app *a) {
    struct proto_msg m;
    struct proto_writer *w = app_ask(a, "contact.remove");
    proto_str(w, "name", a->words[0]);
    int code = app_answer(a, CLIENT_ANSWER_US, &m);
    if (code)
        return code;
    if (a->o.json) {
        json_t *o = json_object();
        json_object_set_new(o, "removed", json_text(a->words[0], strlen(a->words[0])));
        print_json(o);
    }
    proto_msg_clear(&m);
    return 0;
}
