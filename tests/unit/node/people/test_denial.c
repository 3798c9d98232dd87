/* Contacts whose node answers and does not let this one in: which of the reasons it is, that it is
 * remembered, and what ends it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/base/limits.h"
#include "node/node_int.h"
#include "node/people/contact.h"
#include "node/people/contact_store.h"
#include "node/people/denial.h"
#include "support_world.h"

enum { S = 1000000, MINUTE = 60 };

static int denied(const struct world *w, unsigned i, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[i].node, w->now_us, name, &c));
    return c.denied;
}

static bool online(const struct world *w, unsigned i, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[i].node, w->now_us, name, &c));
    return c.online;
}

/* Node i dials `name` and is told this; whether it was news. */
static void is_told(struct world *w, unsigned i, const char *name, int err, bool news) {
    const unsigned before = world_count(w, i, NODE_CONTACT_DENIED);
    assert_int_equal(node_connect(w->nodes[i].node, w->now_us, name), 0);
    const struct node_event *e = world_wait(w, i, NODE_CONNECT_FAILED, S);
    assert_non_null(e);
    assert_int_equal(e->err, err);
    assert_int_equal(denied(w, i, name), err);
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[i].node, w->now_us, name, &c));
    assert_int_equal(c.state, CONTACT_OFFLINE);
    assert_int_equal(world_count(w, i, NODE_CONTACT_DENIED), before + news);
}

static void new_ticket(struct world *w, unsigned i, const char *name,
                       char out[static TICKET_TEXT_MAX + 1]) {
    assert_int_equal(node_ticket_new(w->nodes[i].node, w->now_us, name, 3600, out), 0);
    world_sync(w, i);
}

/* Node 2 calls node 0 "anna", by a ticket that node 1 has used. */
static struct world *used_up(uint64_t seed) {
    struct world *w = world_new(3, seed);
    char ticket[TICKET_TEXT_MAX + 1];
    new_ticket(w, 0, "bob", ticket);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, 1, NODE_PEER_UP, 10 * S));
    world_run(w, S);
    assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "anna", ticket), 0);
    const struct node_event *e = world_wait(w, 2, NODE_CONTACT_DENIED, S);
    assert_non_null(e);
    assert_string_equal(e->contact, "anna");
    assert_int_equal(e->err, ERR_TICKET);
    assert_non_null(world_wait(w, 2, NODE_CONNECT_FAILED, S));
    return w;
}

static void a_used_ticket_is_told_and_remembered_until_a_new_one_comes(void **state) {
    (void)state;
    struct world *w = used_up(1);
    char ticket[TICKET_TEXT_MAX + 1];
    assert_int_equal(denied(w, 2, "anna"), ERR_TICKET);
    is_told(w, 2, "anna", ERR_TICKET, false);
    world_run(w, S);
    world_kill(w, 2);
    world_start(w, 2);
    assert_int_equal(denied(w, 2, "anna"), ERR_TICKET);
    w->nodes[0].unplugged = true; /* even if nobody answers any more */
    assert_int_equal(node_connect(w->nodes[2].node, w->now_us, "anna"), 0);
    const struct node_event *e = world_wait(w, 2, NODE_CONNECT_FAILED, 20 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_OFFLINE);
    assert_int_equal(denied(w, 2, "anna"), ERR_TICKET);
    w->nodes[0].unplugged = false;
    new_ticket(w, 0, "carl", ticket);
    assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "anna", ticket), 0);
    assert_int_equal(denied(w, 2, "anna"), 0);
    assert_non_null(world_wait(w, 2, NODE_PEER_UP, S));
    world_run(w, S);
    assert_true(online(w, 2, "anna"));
    world_kill(w, 2);
    world_start(w, 2);
    assert_int_equal(denied(w, 2, "anna"), 0);
    world_free(w);
}

static void a_ticket_that_has_expired_there_or_was_taken_back_is_told(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) {
        struct world *w = world_new(2, 2);
        char ticket[TICKET_TEXT_MAX + 1];
        assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, NULL, 60, ticket), 0);
        if (way == 0)
            world_run(w, 61 * S);
        else
            assert_int_equal(node_ticket_end(w->nodes[0].node, w->now_us, ticket), 0);
        const uint64_t wall_s = node_wall_s(w->nodes[1].node, w->now_us);
        node_set_wall(w->nodes[1].node, w->now_us, (wall_s - 3600) * S); /* its clock is late */
        assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", ticket), 0);
        const struct node_event *e = world_wait(w, 1, NODE_CONTACT_DENIED, S);
        assert_non_null(e);
        assert_int_equal(e->err, ERR_TICKET);
        world_free(w);
    }
}

/* Also while the ticket's secret is still kept beside the pairing's, in case that was lost. */
static void who_was_removed_is_told_at_once_or_when_it_comes_again(void **state) {
    (void)state;
    for (int way = 0; way < 2; way++) { /* the goodbye arrives, or is lost */
        struct world *w = world_new(2, 3);
        char ticket[TICKET_TEXT_MAX + 1];
        world_pair(w, 0, 1);
        world_run(w, S);
        w->nodes[0].unplugged = way == 1;
        assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
        if (way == 0) {
            const struct node_event *e = world_wait(w, 1, NODE_PEER_DOWN, S);
            assert_non_null(e);
            assert_int_equal(e->err, ERR_UNKNOWN);
            assert_int_equal(denied(w, 1, "n0"), ERR_UNKNOWN);
            is_told(w, 1, "n0", ERR_UNKNOWN, false);
        } else {
            world_run(w, S);
            assert_true(online(w, 1, "n0"));
            world_kill(w, 1);
            world_start(w, 1);
            w->nodes[0].unplugged = false;
            is_told(w, 1, "n0", ERR_UNKNOWN, true);
        }
        /* A used ticket does not help, and then it is that. */
        new_ticket(w, 0, NULL, ticket);
        assert_int_equal(node_ticket_end(w->nodes[0].node, w->now_us, ticket), 0);
        assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "n0", ticket), 0);
        const struct node_event *e = world_wait(w, 1, NODE_CONNECT_FAILED, S);
        assert_non_null(e);
        assert_int_equal(e->err, ERR_TICKET);
        new_ticket(w, 0, NULL, ticket);
        assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "n0", ticket), 0);
        world_run(w, S);
        assert_true(online(w, 1, "n0"));
        world_free(w);
    }
}

static void another_secret_than_ours_is_told(void **state) {
    (void)state;
    struct world *w = world_new(2, 4);
    char ticket[TICKET_TEXT_MAX + 1];
    world_pair(w, 0, 1);
    world_run(w, S);
    assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, S);
    /* Node 0 has it again, by a ticket that node 1 does not know any more. */
    new_ticket(w, 1, NULL, ticket);
    assert_int_equal(node_ticket_end(w->nodes[1].node, w->now_us, ticket), 0);
    assert_int_equal(node_contact_add(w->nodes[0].node, w->now_us, "n1", ticket), 0);
    world_run(w, S);
    assert_int_equal(denied(w, 0, "n1"), ERR_TICKET); /* it is a contact there, but not with this */
    is_told(w, 1, "n0", ERR_SECRET, true);
    world_free(w);
}

/* Once a session is up nothing is denied any more, whoever has seen to that. */
static void who_is_let_in_again_is_not_denied(void **state) {
    (void)state;
    struct world *w = world_new(2, 9);
    char ticket[TICKET_TEXT_MAX + 1];
    world_pair(w, 0, 1);
    world_run(w, S);
    assert_int_equal(node_contact_remove(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, S);
    assert_int_equal(denied(w, 1, "n0"), ERR_UNKNOWN);
    assert_int_equal(node_ticket_new(w->nodes[1].node, w->now_us, NULL, 3600, ticket), 0);
    world_sync(w, 1);
    assert_int_equal(node_contact_add(w->nodes[0].node, w->now_us, "n1", ticket), 0);
    world_run(w, 2 * S);
    assert_true(online(w, 1, "n0"));
    assert_int_equal(denied(w, 1, "n0"), 0);
    world_kill(w, 1);
    world_start(w, 1);
    assert_int_equal(denied(w, 1, "n0"), 0);
    world_free(w);
}

/* That the ticket was no good is the reason, also when the secret that comes next is not known
 * either. */
static void what_the_ticket_was_it_stays(void **state) {
    (void)state;
    struct world *w = used_up(10);
    struct node *n = w->nodes[2].node;
    struct contact *c = contact_by_name(&n->contacts, "anna");
    const unsigned told = world_count(w, 2, NODE_CONTACT_DENIED);
    assert_int_equal(denial_heard(&n->contacts, c, ERR_UNKNOWN, false), ERR_TICKET);
    assert_int_equal(c->denied, ERR_TICKET);
    world_run(w, S);
    assert_int_equal(world_count(w, 2, NODE_CONTACT_DENIED), told);
    world_free(w);
}

/* A change of the network makes nobody let us in. */
static void another_network_does_not_change_it(void **state) {
    (void)state;
    struct world *w = used_up(11);
    world_run(w, 10 * S);
    const uint64_t before = endpoint_counters(world_endpoint(w->nodes[2].node))->handshakes_out;
    node_network_changed(w->nodes[2].node, w->now_us);
    world_run(w, 10 * S);
    assert_int_equal(endpoint_counters(world_endpoint(w->nodes[2].node))->handshakes_out, before);
    world_free(w);
}

static void nobody_there_has_denied_nothing(void **state) {
    (void)state;
    struct world *w = world_new(2, 5);
    world_pair(w, 0, 1);
    world_run(w, S);
    world_kill(w, 0);
    world_kill(w, 1);
    world_start(w, 1);
    assert_int_equal(node_connect(w->nodes[1].node, w->now_us, "n0"), 0);
    const struct node_event *e = world_wait(w, 1, NODE_CONNECT_FAILED, 20 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_OFFLINE);
    assert_int_equal(denied(w, 1, "n0"), 0);
    world_free(w);
}

/* ---- what it does to what was to go there ---- */
static void messages_stay_queued_and_say_why(void **state) {
    (void)state;
    struct world *w = used_up(6);
    struct node *n = w->nodes[2].node;
    struct message_info m;
    char ticket[TICKET_TEXT_MAX + 1];
    uint64_t seq;
    assert_int_equal(node_message_send(n, w->now_us, "anna", "hi", 2, &seq), 0);
    assert_non_null(world_wait(w, 2, NODE_CONNECT_FAILED, S)); /* it was tried for it */
    assert_true(node_message_next(n, seq - 1, NULL, &m));
    assert_int_equal(m.state, MESSAGE_QUEUED);
    assert_int_equal(m.err, ERR_TICKET);
    world_run(w, 10 * S);
    new_ticket(w, 0, NULL, ticket);
    assert_int_equal(node_contact_add(n, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, 2, NODE_MESSAGE_DELIVERED, 10 * S));
    assert_true(node_message_next(n, seq - 1, NULL, &m));
    assert_int_equal(m.err, 0);
    world_free(w);
}

static uint64_t refusals(const struct world *w, unsigned i) {
    struct node_status s;
    node_status(w->nodes[i].node, w->now_us, &s);
    return s.counters->handshake_refused;
}

static void it_is_tried_once_an_hour(void **state) {
    (void)state;
    struct world *w = used_up(7);
    uint64_t seq;
    assert_int_equal(node_message_send(w->nodes[2].node, w->now_us, "anna", "hi", 2, &seq), 0);
    world_run(w, 10 * S);
    const uint64_t before = refusals(w, 0);
    world_run(w, (uint64_t)40 * MINUTE * S);
    assert_int_equal(refusals(w, 0), before);
    world_run(w, (uint64_t)40 * MINUTE * S);
    assert_int_equal(refusals(w, 0), before + 1);
    world_free(w);
}

static void transfers_and_pings_end_with_the_reason(void **state) {
    (void)state;
    struct world *w = used_up(8);
    struct node *n = w->nodes[2].node;
    const char *path = "/f";
    uint64_t id;
    disk_fill(w, 2, path, 10, 1);
    assert_int_equal(node_send(n, w->now_us, "anna", &path, 1, 0, &id), 0);
    const struct node_event *e = world_wait(w, 2, NODE_TRANSFER_FAILED, S);
    assert_non_null(e);
    struct transfer_info t;
    assert_true(node_transfer_get(n, id, &t));
    assert_int_equal(t.err, ERR_TICKET);
    assert_int_equal(node_ping(n, w->now_us, "anna", 5 * S, &id), 0);
    e = world_wait(w, 2, NODE_PING_FAILED, S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_TICKET);
    world_free(w);
}

/* ---- stored ---- */
static void every_reason_survives_its_stored_form(void **state) {
    (void)state;
    static const int errs[] = {0, ERR_TICKET, ERR_UNKNOWN, ERR_SECRET, ERR_STALE, ERR_AUTH};
    struct contact c = {.name = "anna", .paired = true}, back;
    struct relay_set relays;
    uint8_t value[CONTACT_VALUE_MAX];
    for (unsigned i = 0; i < sizeof errs / sizeof errs[0]; i++) {
        c.denied = errs[i];
        const size_t len = contact_encode(&c, value);
        assert_int_equal(value[1] & 3, 1); /* what an older meshd looks at */
        assert_true(contact_decode(&back, &relays, c.id.bytes, NODE_ID_BYTES, value, len));
        assert_int_equal(back.denied, errs[i]);
        assert_int_equal(node_denied(errs[i]), i > 0);
    }
    assert_int_equal(denial_of_code(DENIAL_CODE_MAX), 0); /* of a newer one */
    assert_false(node_denied(ERR_OFFLINE) || node_denied(ERR_TIMEOUT) || node_denied(ERR_REFUSED));
}

/* A contact that lets this node in and throws it out, as fast as it may. */
static void flap(bool moves) {
    struct world *w = world_new(2, 20);
    world_pair(w, 0, 1);
    world_run(w, S);
    world_sync(w, 1);
    struct store_mem *store = w->nodes[1].store;
    struct node *bad = w->nodes[0].node;
    const uint64_t writes = store_mem_writes(store), from_us = w->now_us;
    const unsigned up = world_count(w, 1, NODE_PEER_UP);
    for (unsigned k = 0; k < 500; k++) {
        if (online(w, 0, "n1"))
            endpoint_disconnect(world_endpoint(bad), w->now_us,
                                contact_by_name(&bad->contacts, "n1")->peering->session,
                                ERR_UNKNOWN);
        world_run(w, 10000);
        assert_int_equal(denied(w, 1, "n0"), ERR_UNKNOWN); /* it is known however often */
        w->nodes[0].addr.port = (uint16_t)(w->nodes[0].addr.port + moves);
        assert_int_equal(node_connect(bad, w->now_us, "n1"), 0);
        world_run(w, PEER_OPEN_US + 100000); /* as often as the endpoint lets anybody in */
        assert_int_equal(denied(w, 1, "n0"), 0);
    }
    const unsigned most = DENIAL_BURST + 1 + (unsigned)((w->now_us - from_us) / DENIAL_EVERY_US);
    assert_true(world_count(w, 1, NODE_PEER_UP) - up >= 400);
    assert_in_range(world_count(w, 1, NODE_CONTACT_DENIED), 1, most);
    assert_in_range(store_mem_writes(store) - writes, 1,
                    4 * most); /* a row and a commit, two times */
    /* An orderly end stores what was put off: where it was last. */
    struct contact_info c;
    node_shutdown(w->nodes[1].node, w->now_us);
    world_kill(w, 1);
    world_start(w, 1);
    assert_true(node_contact_get(w->nodes[1].node, w->now_us, "n0", &c));
    assert_true(addr_equal(&c.addrs[0], &w->nodes[0].addr));
    world_run(w, S);
    /* Later it is news again. */
    world_run(w, 2 * (uint64_t)DENIAL_EVERY_US);
    const unsigned told = world_count(w, 1, NODE_CONTACT_DENIED);
    endpoint_disconnect(world_endpoint(bad), w->now_us,
                        contact_by_name(&bad->contacts, "n1")->peering->session, ERR_UNKNOWN);
    world_run(w, S);
    assert_int_equal(world_count(w, 1, NODE_CONTACT_DENIED), told + 1);
    world_kill(w, 1);
    world_start(w, 1);
    assert_int_equal(denied(w, 1, "n0"), ERR_UNKNOWN);
    world_free(w);
}

static void who_flaps_is_told_of_and_stored_a_few_times(void **state) {
    (void)state;
    flap(false);
    flap(true); /* and comes from another address each time */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_used_ticket_is_told_and_remembered_until_a_new_one_comes),
        cmocka_unit_test(a_ticket_that_has_expired_there_or_was_taken_back_is_told),
        cmocka_unit_test(who_was_removed_is_told_at_once_or_when_it_comes_again),
        cmocka_unit_test(another_secret_than_ours_is_told),
        cmocka_unit_test(who_is_let_in_again_is_not_denied),
        cmocka_unit_test(what_the_ticket_was_it_stays),
        cmocka_unit_test(another_network_does_not_change_it),
        cmocka_unit_test(nobody_there_has_denied_nothing),
        cmocka_unit_test(messages_stay_queued_and_say_why),
        cmocka_unit_test(it_is_tried_once_an_hour),
        cmocka_unit_test(transfers_and_pings_end_with_the_reason),
        cmocka_unit_test(every_reason_survives_its_stored_form),
        cmocka_unit_test(who_flaps_is_told_of_and_stored_a_few_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
