/* Who is to say yes knows to what: names, sizes and the total of an offer are told before it is
 * accepted, at a cost that no peer can drive up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/channel/reply.h"
#include "node/file/manifest/manifest.h"
#include "node/file/transfer/offers.h"
#include "support_raw.h"
#include "support_talk.h"

enum { S = 1000000 };

struct pair { /* node 0 offers, a client listens at node 1 */
    struct world *w;
    struct control *c;
    struct talk t;
};

static void pair_open(struct pair *p, uint64_t seed) {
    p->w = world_new(2, seed);
    world_pair(p->w, 0, 1);
    p->c = talk_serve(p->w, 1);
    talk_open(&p->t, p->w, 1, p->c);
    talk_ask(&p->t, "events.subscribe");
    json_decref(talk_result(&p->t));
}

static void pair_close(struct pair *p) {
    talk_close(&p->t);
    talk_unserve(p->w, 1, p->c);
    world_free(p->w);
}

static uint64_t number(const json_t *o, const char *key) {
    return (uint64_t)json_integer_value(json_object_get(o, key));
}

/* The transfer tells what it is about. */
static void shows(const json_t *t, const char *const *names, const size_t *sizes, unsigned count) {
    uint64_t total = 0;
    assert_non_null(t);
    const json_t *first = json_object_get(t, "first");
    assert_int_equal(number(t, "files"), count);
    assert_int_equal(json_array_size(first),
                     count < TRANSFER_FIRST_FILES ? count : TRANSFER_FIRST_FILES);
    for (unsigned i = 0; i < count; i++) {
        const json_t *f = json_array_get(first, i);
        total += sizes[i];
        if (i >= TRANSFER_FIRST_FILES)
            continue;
        assert_string_equal(json_string_value(json_object_get(f, "name")), names[i]);
        assert_int_equal(number(f, "bytes"), sizes[i]);
    }
    assert_int_equal(number(t, "bytes_total"), total);
}

static void an_offer_is_told_with_names_sizes_and_total(void **state) {
    (void)state;
    static const char *const paths[] = {"/d/plan.txt", "/d/b", "/d/\xc3\xbc.pdf", "/d/4"};
    static const char *const names[] = {"plan.txt", "b", "\xc3\xbc.pdf", "4"};
    static const size_t sizes[] = {10, 0, 70000, 3};
    for (unsigned count = 1; count <= 4; count++) {
        struct pair p;
        uint64_t id;
        pair_open(&p, count);
        for (unsigned i = 0; i < count; i++)
            disk_fill(p.w, 0, paths[i], sizes[i], i);
        assert_int_equal(node_send(p.w->nodes[0].node, p.w->now_us, "n1", paths, count, 0, &id), 0);
        json_t *e = talk_notice(&p.t, "transfer.offered", 5 * S);
        assert_non_null(e);
        shows(json_object_get(e, "transfer"), names, sizes, count);
        const uint64_t in = number(e, "id");
        json_decref(e);
        talk_ask(&p.t, "transfer.list");
        json_t *r = talk_result(&p.t);
        shows(json_array_get(json_object_get(r, "transfers"), 0), names, sizes, count);
        json_decref(r);
        proto_uint(talk_ask(&p.t, "transfer.get"), "id", in);
        r = talk_result(&p.t);
        shows(json_object_get(r, "transfer"), names, sizes, count);
        assert_int_equal(number(json_object_get(r, "transfer"), "running_us"), 0);
        json_decref(r);
        proto_uint(talk_ask(&p.t, "transfer.files"), "id", in);
        r = talk_result(&p.t);
        assert_int_equal(json_array_size(json_object_get(r, "files")), count);
        json_decref(r);
        world_run(p.w, 10 * S); /* the user thinks about it */
        assert_int_equal(node_accept(p.w->nodes[1].node, p.w->now_us, in, "/in"), 0);
        e = talk_notice(&p.t, "transfer.done", 5 * S);
        assert_non_null(e);
        shows(json_object_get(e, "transfer"), names, sizes, count);
        /* What counts for its speed is not the time until the yes. */
        assert_true(number(json_object_get(e, "transfer"), "elapsed_us") >= 10 * S);
        assert_in_range(number(json_object_get(e, "transfer"), "running_us"), 1, 5 * S);
        json_decref(e);
        pair_close(&p);
    }
}

/* The bytes that the client gets until the world has nothing more to say. */
static size_t bytes_told(struct pair *p, uint64_t us) {
    size_t all = 0, len;
    const uint8_t *buf;
    for (uint64_t end = p->w->now_us + us; p->w->now_us < end;) {
        world_run(p->w, 10000);
        while (control_output(p->c, p->t.conn, &buf, &len)) {
            all += len;
            control_sent(p->c, p->t.conn, len);
        }
    }
    return all;
}

static void the_largest_offer_costs_a_subscriber_a_few_kilobytes(void **state) {
    (void)state;
    struct pair p;
    struct transfer_info t;
    size_t len;
    pair_open(&p, 10);
    uint8_t *offer = raw_offer(TRANSFER_FILES_MAX, 235, 5, 'a', &len);
    struct raw r = raw_open(p.w, 0, 1);
    assert_true(raw_write(&r, offer, len));
    assert_in_range(bytes_told(&p, S), 500, 4096);
    assert_true(node_transfer_get(p.w->nodes[1].node, 1, &t));
    assert_int_equal(t.state, TRANSFER_OFFERED);
    assert_int_equal(t.files, TRANSFER_FILES_MAX);
    assert_true(transfer_by_id(&p.w->nodes[1].node->transfers, 1)->manifest.held_bytes <=
                OFFERS_BYTES_MAX_PER_CONTACT);
    const uint32_t id = (talk_ask(&p.t, "transfer.list"), talk_send(&p.t));
    assert_true(id > 0);
    control_run(p.c, p.w->now_us);
    assert_in_range(bytes_told(&p, S), 500, 4096);
    /* When it is over only the first names stay, and are told. */
    assert_int_equal(node_reject(p.w->nodes[1].node, p.w->now_us, 1), 0);
    assert_in_range(bytes_told(&p, S), 500, 4096);
    assert_true(transfer_by_id(&p.w->nodes[1].node->transfers, 1)->manifest.held_bytes < 4096);
    uint64_t size;
    assert_non_null(node_transfer_file(p.w->nodes[1].node, 1, TRANSFER_FIRST_FILES - 1, &size));
    assert_int_equal(size, 5);
    assert_null(node_transfer_file(p.w->nodes[1].node, 1, TRANSFER_FIRST_FILES, &size));
    free(offer);
    pair_close(&p);
}

/* {"v": 1, "alg": 3, "files": ...} with what no manifest has in it. */
static void what_is_too_many_or_too_long_is_refused_and_told_to_nobody(void **state) {
    (void)state;
    static const uint8_t many[] = {0xdd, 0x00, 0x0f, 0x42, 0x40}; /* 10^6 */
    static const uint8_t name[] = {0x91, 0x82, 0xa1, 'n', 0xdb,
                                   0x00, 0x01, 0x00, 0x00}; /* 64 KiB */
    for (unsigned i = 0; i < 2; i++) {
        struct pair p;
        struct reply reply;
        struct transfer_info t;
        enum { TEXT = 65536 };
        pair_open(&p, 20 + i);
        uint8_t *body = calloc(1, TEXT + 64);
        assert_non_null(body);
        size_t len = 0;
        const uint8_t head[] = {1,   0x80, 0x01, 0x00, 0x20, 0x83, 0xa1, 'v', 1,   0xa3,
                                'a', 'l',  'g',  3,    0xa5, 'f',  'i',  'l', 'e', 's'};
        memcpy(body, head, len = sizeof head);
        memcpy(body + len, i ? name : many, i ? sizeof name : sizeof many);
        len += i ? sizeof name : sizeof many;
        memset(body + len, 'a', TEXT);
        struct raw r = raw_open(p.w, 0, 1);
        raw_listen(&r);
        (void)raw_write(&r, body, len + (i ? TEXT : 0)); /* it may be stopped on the way */
        assert_true(raw_reply(&r, &reply));
        assert_int_equal(reply.err, ERR_PROTO);
        assert_int_equal(bytes_told(&p, S), 0);
        assert_false(node_transfer_get(p.w->nodes[1].node, 1, &t));
        raw_deaf(&r);
        free(body);
        pair_close(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_offer_is_told_with_names_sizes_and_total),
        cmocka_unit_test(the_largest_offer_costs_a_subscriber_a_few_kilobytes),
        cmocka_unit_test(what_is_too_many_or_too_long_is_refused_and_told_to_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
