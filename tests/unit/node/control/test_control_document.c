/* docs/CONTROL.md and the control API say the same: methods and their arguments, every key of every
 * result and event with its type, none missing and none more, and the exit codes of errors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/control/call/control_group.h"
#include "support_document.h"
#include "support_talk.h"

enum { S = 1000000 };

static struct document *doc;

static int load(void **state) {
    char path[512];
    const char *source = getenv("MESH_SOURCE");
    (void)state;
    snprintf(path, sizeof path, "%s/docs/CONTROL.md", source ? source : ".");
    doc = document_load(path);
    return doc ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    document_free(doc);
    return 0;
}

static void keeps(enum doc_part part, const char *name, const json_t *value) {
    char why[DOC_WHY_MAX] = "";
    const struct doc_entry *e = document_find(doc, part, name);
    const struct doc_entry *common =
        part == DOC_EVENT ? document_find(doc, DOC_MAP, "event") : NULL;
    if (!e)
        fail_msg("%s is not in CONTROL.md", name);
    if (!document_keeps(doc, e, common, value, why))
        fail_msg("%s: %s", name, why);
}

/* The request that was opened succeeds, with exactly the promised result. */
static json_t *result(struct talk *t, const char *method) {
    json_t *r = talk_result(t);
    keeps(DOC_RESULT, method, r);
    return r;
}

static void plain(struct talk *t, const char *method) {
    talk_ask(t, method);
    json_decref(result(t, method));
}

static uint64_t number(struct talk *t, const char *method, const char *key) {
    json_t *r = result(t, method);
    uint64_t v = (uint64_t)json_integer_value(json_object_get(r, key));
    json_decref(r);
    return v;
}

/* ---- arguments ---- */

static const char *type_of(enum arg_kind k) {
    switch (k) {
    case ARG_STR:
    case ARG_TEXT:
        return "s";
    case ARG_UINT:
        return "n";
    case ARG_BOOL:
        return "b";
    case ARG_STRS:
    case ARG_FEW:
        return "[s]";
    }
    return "";
}

static void methods_and_arguments_are_those_of_the_document(void **state) {
    (void)state;
    unsigned promised = 0, methods = 0;
    const struct method *m;
    for (unsigned i = 0; i < doc->count; i++)
        promised += doc->entries[i].part == DOC_PARAMS;
    for (; (m = group_method_at(control_groups, methods)) != NULL; methods++) {
        const struct doc_entry *e = document_find(doc, DOC_PARAMS, m->name);
        if (!e)
            fail_msg("the method %s is not in CONTROL.md", m->name);
        unsigned count = 0;
        for (; m->args[count].name; count++) {
            const struct arg_spec *a = &m->args[count];
            const struct doc_field *f = NULL;
            for (unsigned k = 0; k < e->count; k++)
                if (strcmp(e->fields[k].name, a->name) == 0)
                    f = &e->fields[k];
            if (!f || f->optional == a->required || strcmp(f->type, type_of(a->kind)) != 0)
                fail_msg("%s: the argument %s is not as in CONTROL.md", m->name, a->name);
        }
        assert_int_equal(count, e->count);
    }
    assert_int_equal(methods, promised);
}

/* A method's name leads to one method, and each kind of event to one writer. */
static void groups_do_not_share_a_name_or_a_kind(void **state) {
    (void)state;
    const struct method *m;
    unsigned group;
    for (unsigned i = 0; (m = group_method_at(control_groups, i)) != NULL; i++)
        assert_ptr_equal(group_method(control_groups, m->name, &group), m);
    unsigned rows[NODE_EVENT_KINDS] = {0};
    for (unsigned g = 0; control_groups[g]; g++)
        for (unsigned i = 0; i < control_groups[g]->event_count; i++)
            rows[control_groups[g]->events[i].kind]++;
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        assert_int_equal(rows[k], 1);
}

/* ---- results and events ---- */

struct pair { /* two nodes that know each other, a client at each */
    struct world *w;
    struct control *c[2];
    struct talk t[2];
};

static void pair_open(struct pair *p, uint64_t seed) {
    p->w = world_new(2, seed);
    for (unsigned i = 0; i < 2; i++) {
        p->c[i] = talk_serve(p->w, i);
        talk_open(&p->t[i], p->w, i, p->c[i]);
        talk_ask(&p->t[i], "events.subscribe");
        json_decref(talk_result(&p->t[i]));
    }
}

static void pair_close(struct pair *p) {
    for (unsigned i = 0; i < 2; i++) {
        talk_close(&p->t[i]);
        talk_unserve(p->w, i, p->c[i]);
    }
    world_free(p->w);
}

/* An event of this kind comes, with exactly the promised keys. */
static json_t *event(struct talk *t, const char *kind) {
    json_t *n = talk_notice(t, kind, 60 * S);
    if (!n)
        fail_msg("no event %s came", kind);
    keeps(DOC_EVENT, kind, n);
    return n;
}

static void meet(struct pair *p) {
    struct talk *a = &p->t[0], *b = &p->t[1];
    proto_str(talk_ask(a, "ticket.new"), "name", "b");
    json_t *r = result(a, "ticket.new");
    struct proto_writer *w = talk_ask(b, "contact.add");
    proto_str(w, "name", "a");
    proto_str(w, "ticket", json_string_value(json_object_get(r, "ticket")));
    json_decref(result(b, "contact.add"));
    json_decref(r);
    w = talk_ask(b, "wait");
    proto_str(w, "for", "peer");
    proto_str(w, "name", "a");
    json_decref(result(b, "wait"));
    json_decref(event(a, "contact.added"));
    json_decref(event(b, "contact.added"));
    json_decref(event(a, "peer.up"));
}

static void results_about_the_daemon_hold_the_promised_keys(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, 1);
    struct talk *t = &p.t[0];
    plain(t, "version");
    plain(t, "id");
    plain(t, "status");
    proto_str(talk_ask(t, "wait"), "for", "ready");
    json_decref(result(t, "wait"));
    plain(t, "events.subscribe");
    plain(t, "events.unsubscribe");
    assert_false(control_wants_shutdown(p.c[0]));
    plain(t, "shutdown");
    assert_true(control_wants_shutdown(p.c[0]));
    pair_close(&p);
}

static void results_and_events_about_peers_hold_the_promised_keys(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, 2);
    struct talk *t = &p.t[0];
    meet(&p);
    plain(t, "contact.list");
    plain(t, "peer.list");
    proto_str(talk_ask(t, "peer.connect"), "name", "b");
    json_decref(result(t, "peer.connect"));
    proto_str(talk_ask(t, "peer.ping"), "name", "b");
    json_decref(result(t, "peer.ping"));
    json_decref(event(t, "pong"));
    p.w->nodes[1].addr.port++; /* it moves, and is answered where it is now */
    proto_str(talk_ask(&p.t[1], "peer.ping"), "name", "a");
    json_decref(result(&p.t[1], "peer.ping"));
    json_decref(event(t, "path.changed"));
    p.w->nodes[1].unplugged = true;
    struct proto_writer *w = talk_ask(t, "peer.ping");
    proto_str(w, "name", "b");
    proto_uint(w, "timeout_us", 100000);
    talk_fails(t, "timeout");
    json_decref(event(t, "ping.failed"));
    p.w->nodes[1].unplugged = false;
    world_kill(p.w, 1);
    world_start(p.w, 1);
    control_free(p.c[1]);
    node_shutdown(p.w->nodes[0].node, p.w->now_us);
    json_decref(event(t, "peer.down"));
    plain(t, "peer.list");
    struct proto_writer *path = talk_ask(t, "contact.path");
    proto_str(path, "name", "b");
    proto_str(path, "path", "direct_only");
    json_decref(result(t, "contact.path"));
    proto_str(talk_ask(t, "contact.remove"), "name", "b");
    json_decref(result(t, "contact.remove"));
    json_decref(event(t, "contact.removed"));
    talk_close(t);
    talk_unserve(p.w, 0, p.c[0]);
    free(p.w->nodes[1].heard_ctx);
    proto_writer_clear(&p.t[1].out);
    proto_reader_clear(&p.t[1].in);
    json_decref(p.t[1].notes);
    json_decref(p.t[1].answers);
    world_free(p.w);
}

static void a_failed_connection_is_an_event_with_the_promised_keys(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, 3);
    meet(&p);
    p.w->nodes[1].unplugged = true;
    node_shutdown(p.w->nodes[1].node, p.w->now_us);
    proto_str(talk_ask(&p.t[0], "contact.remove"), "name", "b");
    json_decref(talk_result(&p.t[0]));
    proto_str(talk_ask(&p.t[1], "ticket.new"), "name", "a2");
    json_t *r = talk_result(&p.t[1]);
    struct proto_writer *w = talk_ask(&p.t[0], "contact.add");
    proto_str(w, "name", "b");
    proto_str(w, "ticket", json_string_value(json_object_get(r, "ticket")));
    json_decref(talk_result(&p.t[0]));
    json_decref(r);
    json_decref(event(&p.t[0], "connect.failed"));
    pair_close(&p);
}

static uint64_t send_file(struct talk *t, const char *path) {
    struct proto_writer *w = talk_ask(t, "transfer.send");
    proto_str(w, "contact", "b");
    proto_array(w, "paths");
    proto_str(w, NULL, path);
    proto_end(w);
    return number(t, "transfer.send", "id");
}

static uint64_t offered(struct talk *t) {
    json_t *n = event(t, "transfer.offered");
    uint64_t id = (uint64_t)json_integer_value(json_object_get(n, "id"));
    json_decref(n);
    return id;
}

static void by_id(struct talk *t, const char *method, uint64_t id) {
    proto_uint(talk_ask(t, method), "id", id);
    json_decref(result(t, method));
}

static void results_and_events_about_transfers_hold_the_promised_keys(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, 4);
    struct talk *a = &p.t[0], *b = &p.t[1];
    meet(&p);
    p.w->disk_us = 20000; /* slow enough for progress to be told */
    disk_fill(p.w, 0, "/f", 8 << 20, 1);
    uint64_t id = send_file(a, "/f"), in = offered(b);
    struct proto_writer *w = talk_ask(b, "transfer.accept");
    proto_uint(w, "id", in);
    proto_str(w, "dir", "/in");
    json_decref(result(b, "transfer.accept"));
    by_id(a, "transfer.get", id);
    by_id(a, "transfer.wait", id);
    by_id(a, "transfer.files", id);
    plain(b, "transfer.list");
    json_decref(event(b, "transfer.started"));
    json_decref(event(a, "transfer.progress"));
    json_decref(event(a, "transfer.done"));
    send_file(a, "/f");
    by_id(b, "transfer.reject", offered(b));
    json_decref(event(a, "transfer.failed"));
    id = send_file(a, "/f");
    by_id(a, "transfer.cancel", id);
    by_id(a, "transfer.get", id);
    talk_ask(b, "recv.start");
    by_id(b, "recv.stop", number(b, "recv.start", "id"));
    pair_close(&p);
}

static void results_and_events_about_messages_hold_the_promised_keys(void **state) {
    (void)state;
    struct pair p;
    pair_open(&p, 5);
    struct talk *a = &p.t[0], *b = &p.t[1];
    meet(&p);
    struct proto_writer *w = talk_ask(a, "message.send");
    proto_str(w, "contact", "b");
    proto_str(w, "text", "hello");
    uint64_t seq = number(a, "message.send", "seq");
    proto_uint(talk_ask(a, "message.wait"), "seq", seq);
    json_decref(result(a, "message.wait"));
    json_decref(event(a, "message.delivered"));
    json_decref(event(b, "message"));
    plain(a, "message.list");
    proto_str(talk_ask(b, "message.list"), "contact", "a");
    json_decref(result(b, "message.list"));
    pair_close(&p);
}

static void every_event_is_in_the_document(void **state) {
    (void)state;
    for (unsigned k = 0; k < NODE_EVENT_KINDS; k++)
        assert_non_null(document_find(doc, DOC_EVENT, node_event_name((enum node_event_kind)k)));
    assert_non_null(document_find(doc, DOC_EVENT, "overflow"));
}

enum { ERRORS_MAX = 64 };

static bool is_error(int num) {
    return num == -ERR_FAILED || err_from_wire((unsigned)num) != ERR_FAILED;
}

/* The table of exit codes names every error once, beside its code. */
static void exit_codes_are_those_of_the_document(void **state) {
    (void)state;
    char path[512], line[512];
    const char *source = getenv("MESH_SOURCE");
    snprintf(path, sizeof path, "%s/docs/CONTROL.md", source ? source : ".");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    unsigned seen[ERRORS_MAX + 1] = {0};
    while (fgets(line, sizeof line, f)) {
        char *cell;
        long code = strtol(line + 1, &cell, 10);
        if (line[0] != '|' || cell == line + 1)
            continue;
        for (int num = 1; num <= ERRORS_MAX; num++) {
            char name[40];
            snprintf(name, sizeof name, "`%s`", err_name(-num));
            if (is_error(num) && strstr(cell, name)) {
                if (err_exit_code(-num) != code)
                    fail_msg("the error %s exits with %d, not with %ld", name, err_exit_code(-num),
                             code);
                seen[num]++;
            }
        }
    }
    fclose(f);
    for (int num = 1; num <= ERRORS_MAX; num++)
        if (seen[num] != is_error(num))
            fail_msg("the error %s is %u times in CONTROL.md's table of exit codes", err_name(-num),
                     seen[num]);
}

/* The table of limits names each once, with its code and the line of meshd.conf. */
static void limits_are_those_of_the_document(void **state) {
    (void)state;
    char path[512], line[512], row[LIMITS][96];
    const char *source = getenv("MESH_SOURCE");
    unsigned seen[LIMITS] = {0}, rows = 0;
    bool in_table = false;
    for (unsigned i = 1; i < LIMITS; i++) {
        const char *key = limit_key((enum limit)i);
        snprintf(row[i], sizeof row[i], "| `%s` | %s%s%s |\n", err_name(limit_err((enum limit)i)),
                 key[0] ? "`" : "", key, key[0] ? "`" : "");
    }
    snprintf(path, sizeof path, "%s/docs/CONTROL.md", source ? source : ".");
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    while (fgets(line, sizeof line, f)) {
        if (strncmp(line, "| limit |", 9) == 0)
            in_table = true;
        else if (line[0] != '|')
            in_table = false;
        if (!in_table || strncmp(line, "| `", 3) != 0)
            continue;
        rows++;
        for (unsigned i = 1; i < LIMITS; i++) {
            char name[64];
            snprintf(name, sizeof name, "| `%s` | ", limit_name((enum limit)i));
            if (strncmp(line, name, strlen(name)) != 0)
                continue;
            seen[i]++;
            if (!strstr(line, row[i]))
                fail_msg("the limit %s is not as in CONTROL.md", limit_name((enum limit)i));
        }
    }
    fclose(f);
    for (unsigned i = 1; i < LIMITS; i++)
        if (seen[i] != 1)
            fail_msg("the limit %s is %u times in CONTROL.md", limit_name((enum limit)i), seen[i]);
    assert_int_equal(rows, LIMITS - 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(methods_and_arguments_are_those_of_the_document),
        cmocka_unit_test(groups_do_not_share_a_name_or_a_kind),
        cmocka_unit_test(results_about_the_daemon_hold_the_promised_keys),
        cmocka_unit_test(results_and_events_about_peers_hold_the_promised_keys),
        cmocka_unit_test(a_failed_connection_is_an_event_with_the_promised_keys),
        cmocka_unit_test(results_and_events_about_transfers_hold_the_promised_keys),
        cmocka_unit_test(results_and_events_about_messages_hold_the_promised_keys),
        cmocka_unit_test(every_event_is_in_the_document),
        cmocka_unit_test(exit_codes_are_those_of_the_document),
        cmocka_unit_test(limits_are_those_of_the_document),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
