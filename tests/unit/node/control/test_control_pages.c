/* What a client relies on to find its way: the methods that "version" lists are there, and lists
 * are read page by page. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "support_talk.h"

enum { S = 1000000, FILES = 300, PAGE = 256 };

static void every_method_of_version_answers(void **state) {
    (void)state;
    struct world *w = world_new(1, 1);
    struct control *c = talk_serve(w, 0);
    struct talk t;
    size_t i;
    json_t *name;
    talk_open(&t, w, 0, c);
    talk_ask(&t, "version");
    json_t *r = talk_result(&t), *methods = json_object_get(r, "methods");
    assert_true(json_array_size(methods) >= 28);
    json_array_foreach(methods, i, name) {
        const char *method = json_string_value(name);
        talk_ask(&t, method);
        json_t *a = talk_answer(&t, talk_send(&t), 10 * S);
        if (!a)
            fail_msg("%s does not answer", method);
        const char *code = json_string_value(json_object_get(json_array_get(a, 0), "code"));
        if (code && strcmp(code, "usage") != 0) /* arguments are missing, and that is all */
            fail_msg("%s: %s", method, code);
        json_decref(a);
    }
    json_decref(r);
    talk_ask(&t, "frobnicate");
    talk_fails(&t, "unsupported");
    talk_close(&t);
    talk_unserve(w, 0, c);
    world_free(w);
}

/* A world in which node 0 has three contacts, five transfers, one with many files, and five
 * messages. */
static struct world *full_world(void) {
    struct world *w = world_new(4, 2);
    static char names[FILES][16];
    const char *paths[FILES];
    uint64_t id;
    for (unsigned i = 1; i < 4; i++)
        world_pair(w, 0, i);
    for (unsigned i = 0; i < FILES; i++) {
        snprintf(names[i], sizeof names[i], "/f%03u", i);
        paths[i] = names[i];
        disk_fill(w, 0, paths[i], 1, 1);
    }
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(
            node_send(w->nodes[0].node, w->now_us, "n1", paths, i == 4 ? FILES : 1, 0, &id), 0);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n2", "x", 1, &id), 0);
    }
    world_run(w, 5 * S);
    return w;
}

static json_t *page(struct talk *t, const char *method, uint64_t offset, uint64_t limit) {
    struct proto_writer *w = talk_ask(t, method);
    if (strcmp(method, "transfer.files") == 0)
        proto_uint(w, "id", 5);
    if (offset > 0)
        proto_uint(w, "offset", offset);
    if (limit > 0)
        proto_uint(w, "limit", limit);
    return talk_result(t);
}

/* All entries, by pages of `limit` (0: what the node gives); each page is as long as it may be but
 * the last. */
static json_t *read_all(struct talk *t, const char *method, const char *key, uint64_t limit) {
    json_t *all = json_array();
    const size_t most = limit > 0 && limit < PAGE ? limit : PAGE;
    for (uint64_t offset = 0;;) {
        json_t *r = page(t, method, offset, limit), *next = json_object_get(r, "next");
        json_t *entries = json_object_get(r, key);
        const size_t count = json_array_size(entries);
        assert_true(count <= most);
        assert_int_equal(json_array_extend(all, entries), 0);
        if (json_is_null(next)) {
            json_decref(r);
            return all;
        }
        assert_int_equal(count, most);
        assert_int_equal(json_integer_value(next), offset + count);
        offset += count;
        json_decref(r);
    }
}

static void every_list_is_read_by_next(void **state) {
    (void)state;
    static const struct {
        const char *method, *key, *name;
        size_t count;
    } lists[] = {{"contact.list", "contacts", "name", 3},
                 {"peer.list", "peers", "name", 3},
                 {"transfer.list", "transfers", "id", 5},
                 {"transfer.files", "files", "name", FILES}};
    struct world *w = full_world();
    struct control *c = talk_serve(w, 0);
    struct talk t;
    talk_open(&t, w, 0, c);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        json_t *whole = read_all(&t, lists[i].method, lists[i].key, 0);
        assert_int_equal(json_array_size(whole), lists[i].count);
        for (uint64_t limit = 1; limit < 2 * PAGE; limit = limit < 4 ? limit + 1 : limit * 3) {
            json_t *pages = read_all(&t, lists[i].method, lists[i].key, limit);
            assert_int_equal(json_array_size(pages), lists[i].count);
            for (size_t k = 0; k < lists[i].count; k++) /* the same ones, in the same order */
                assert_true(json_equal(json_object_get(json_array_get(pages, k), lists[i].name),
                                       json_object_get(json_array_get(whole, k), lists[i].name)));
            json_decref(pages);
        }
        json_t *r = page(&t, lists[i].method, lists[i].count, 0); /* behind the end is nothing */
        assert_int_equal(json_array_size(json_object_get(r, lists[i].key)), 0);
        assert_true(json_is_null(json_object_get(r, "next")));
        json_decref(r);
        json_decref(whole);
    }
    talk_close(&t);
    talk_unserve(w, 0, c);
    world_free(w);
}

static void messages_are_read_by_last(void **state) {
    (void)state;
    struct world *w = full_world();
    struct control *c = talk_serve(w, 0);
    struct talk t;
    talk_open(&t, w, 0, c);
    for (uint64_t limit = 1; limit < 7; limit++) {
        uint64_t after = 0, seen = 0;
        bool more = true;
        while (more) {
            struct proto_writer *o = talk_ask(&t, "message.list");
            proto_uint(o, "after", after);
            proto_uint(o, "limit", limit);
            json_t *r = talk_result(&t), *m = json_object_get(r, "messages");
            for (size_t i = 0; i < json_array_size(m); i++) {
                seen++;
                assert_int_equal(json_integer_value(json_object_get(json_array_get(m, i), "seq")),
                                 seen);
            }
            more = json_is_true(json_object_get(r, "more"));
            after = (uint64_t)json_integer_value(json_object_get(r, "last"));
            assert_int_equal(after, seen);
            json_decref(r);
        }
        assert_int_equal(seen, 5);
    }
    talk_close(&t);
    talk_unserve(w, 0, c);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_of_version_answers),
        cmocka_unit_test(every_list_is_read_by_next),
        cmocka_unit_test(messages_are_read_by_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
