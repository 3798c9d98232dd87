/* Datagrams that wait to be read: as they came, and the oldest gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/node_int.h"
#include "support_world.h"

enum { S = 1000000 };

static void send_number(struct world *w, uint32_t number) {
    int err = node_datagram_send(w->nodes[0].node, w->now_us, "n1", &number, sizeof number,
                                 w->now_us + 10 * S);
    assert_int_equal(err, 0);
    world_run(w, 10000);
}

static uint32_t next_number(struct world *w) {
    struct node_datagram d;
    uint32_t number;
    assert_true(node_datagram_next(w->nodes[1].node, &d));
    assert_string_equal(d.contact, "n0");
    assert_int_equal(d.len, sizeof number);
    memcpy(&number, d.data, sizeof number);
    return number;
}

static void the_oldest_datagram_gives_way(void **state) {
    (void)state;
    enum { MORE = 7 };
    struct world *w = world_new(2, 1);
    struct node_datagram d;
    world_pair(w, 0, 1);
    for (uint32_t i = 0; i < NODE_DATAGRAMS_MAX + MORE; i++)
        send_number(w, i);
    assert_int_equal(w->nodes[1].node->mailbox.dropped, MORE);
    for (uint32_t i = MORE; i < NODE_DATAGRAMS_MAX + MORE; i++)
        assert_int_equal(next_number(w), i);
    assert_false(node_datagram_next(w->nodes[1].node, &d));
    send_number(w, 1000); /* and the ring goes round */
    assert_int_equal(next_number(w), 1000);
    world_free(w);
}

static void datagrams_that_are_read_in_time_are_all_there(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    world_pair(w, 0, 1);
    for (uint32_t i = 0; i < 3 * NODE_DATAGRAMS_MAX; i++) {
        send_number(w, i);
        assert_int_equal(next_number(w), i);
    }
    assert_int_equal(w->nodes[1].node->mailbox.dropped, 0);
    world_free(w);
}

/* A flood of one contact leaves room for a call with another. */
static void a_flood_does_not_push_out_what_others_say(void **state) {
    (void)state;
    struct world *w = world_new(1, 3);
    struct mailbox *m = &w->nodes[0].node->mailbox;
    const struct contact flooder = {.name = "f", .id = {{1}}}, caller = {.name = "c", .id = {{2}}};
    struct node_datagram d;
    for (uint32_t i = 0; i < 10 * NODE_DATAGRAMS_MAX; i++) {
        const uint8_t number = (uint8_t)(i / NODE_DATAGRAMS_MAX);
        if (i % NODE_DATAGRAMS_MAX == 0)
            mailbox_add(m, &caller, &number, 1);
        mailbox_add(m, &flooder, (const uint8_t *)&i, sizeof i);
    }
    assert_int_equal(m->count, NODE_DATAGRAMS_MAX);
    uint32_t said = 0, last = 0, of_flood = 0;
    while (node_datagram_next(w->nodes[0].node, &d)) {
        if (d.contact[0] == 'c') {
            assert_int_equal(d.data[0], said++);
            continue;
        }
        uint32_t number;
        memcpy(&number, d.data, sizeof number);
        assert_true(number > last);
        last = number;
        of_flood++;
    }
    assert_int_equal(said, 10);
    assert_int_equal(of_flood, NODE_DATAGRAMS_MAX - 10);
    assert_int_equal(last, 10 * NODE_DATAGRAMS_MAX - 1);
    world_free(w);
}

static void only_what_is_read_is_copied(void **state) {
    (void)state;
    struct mailbox m = {0};
    uint8_t data[NODE_DATAGRAM_MAX_BYTES + 1] = {1};
    const struct contact from = {.name = "n"};
    mailbox_add(&m, &from, data, sizeof data); /* longer than any that may come */
    assert_int_equal(m.count, 0);
    assert_int_equal(m.dropped, 1);
    mailbox_add(&m, &from, data, NODE_DATAGRAM_MAX_BYTES);
    assert_int_equal(m.count, 1);
    mailbox_clear(&m);
    mailbox_clear(&m);
}

/* The first byte says what it is for: a later version may send what this one does not know. */
static void a_tag_that_is_not_known_is_passed_over(void **state) {
    (void)state;
    struct mailbox m = {0};
    struct node_datagram d;
    const struct contact from = {.name = "n"};
    for (unsigned tag = 0; tag < 256; tag++) {
        const uint8_t bytes[2] = {(uint8_t)tag, 'x'};
        mailbox_come(&m, &from, bytes, sizeof bytes);
    }
    const uint8_t bare[1] = {DATAGRAM_CALL};
    mailbox_come(&m, &from, bare, sizeof bare);
    mailbox_come(&m, &from, bare, 0);
    assert_int_equal(m.unknown, 257);
    assert_int_equal(m.dropped, 0);
    assert_true(mailbox_next(&m, &d));
    assert_int_equal(d.len, 1);
    assert_int_equal(d.data[0], 'x');
    assert_false(mailbox_next(&m, &d));
    mailbox_clear(&m);
}

static void the_largest_that_may_be_sent_comes_whole(void **state) {
    (void)state;
    struct world *w = world_new(2, 4);
    struct node_datagram d;
    uint8_t data[NODE_DATAGRAM_MAX_BYTES + 1];
    memset(data, 7, sizeof data);
    world_pair(w, 0, 1);
    struct node *n = w->nodes[0].node;
    assert_int_equal(node_datagram_send(n, w->now_us, "n1", data, 0, w->now_us + S), ERR_USAGE);
    assert_int_equal(node_datagram_send(n, w->now_us, "n1", data, sizeof data, w->now_us + S),
                     ERR_USAGE);
    assert_int_equal(node_datagram_send(n, w->now_us, "n1", data, sizeof data - 1, w->now_us + S),
                     0);
    world_run(w, 10000);
    assert_true(node_datagram_next(w->nodes[1].node, &d));
    assert_int_equal(d.len, NODE_DATAGRAM_MAX_BYTES);
    assert_memory_equal(d.data, data, d.len);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_oldest_datagram_gives_way),
        cmocka_unit_test(datagrams_that_are_read_in_time_are_all_there),
        cmocka_unit_test(a_flood_does_not_push_out_what_others_say),
        cmocka_unit_test(only_what_is_read_is_copied),
        cmocka_unit_test(a_tag_that_is_not_known_is_passed_over),
        cmocka_unit_test(the_largest_that_may_be_sent_comes_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
