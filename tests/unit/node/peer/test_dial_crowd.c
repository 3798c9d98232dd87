/* When many contacts are away the rate is for all of them, and nobody who is there waits for
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "node/node_int.h"
#include "support_contacts.h"

enum { MS = 1000, S = 1000000, MANY_AWAY = 2000 };

/* ---- what it costs ---- */

/* Contacts of node 0 that nobody has ever heard of, all at this address. */
static void add_strangers(struct world *w, unsigned count, const struct addr *at) {
    struct node *n = w->nodes[0].node;
    for (unsigned i = 0; i < count; i++) {
        struct identity id;
        struct contact model = {.addr_count = 1, .addrs[0] = *at}, *c;
        identity_generate(&id, &w->nodes[0].env.rng);
        model.id = id.id;
        model.transport = id.transport_public;
        snprintf(model.name, sizeof model.name, "x%u", i);
        assert_int_equal(contact_add(&n->contacts, &model, &c), 0);
    }
}

static void a_start_with_many_contacts_is_spread(void **state) {
    (void)state;
    enum { MANY = 1000 };
    struct world *w = world_new(2, 6);
    w->nodes[1].unplugged = true;
    add_strangers(w, MANY, &w->nodes[1].addr);
    world_kill(w, 0);
    world_start(w, 0);
    uint64_t most = 0, before = 0;
    for (unsigned s = 0; s < MANY / (S / DIAL_EVERY_US) + 1; s++) {
        world_run(w, S);
        const uint64_t sent = dials_of(w, 0) - before;
        before = dials_of(w, 0);
        if (s > 0 && sent > most)
            most = sent;
    }
    /* Each has been dialled, five packets each at twenty a second; and no burst is larger. */
    assert_true(before >= MANY);
    assert_in_range(most, 20, 5 * (S / DIAL_EVERY_US) + DIAL_BURST);
    world_free(w);
}

static void the_rate_is_for_all_that_are_away(void **state) {
    (void)state;
    enum { MANY = 10000 };
    struct world *w = world_new(2, 7);
    w->nodes[1].unplugged = true;
    add_strangers(w, MANY, &w->nodes[1].addr);
    world_kill(w, 0);
    world_start(w, 0);
    world_run(w, 600 * S);
    const uint64_t before = dials_of(w, 0);
    world_run(w, 60 * S);
    assert_in_range(dials_of(w, 0) - before, 60 * 90,
                    60 * 101); /* 300 s for each would be 33 a second */
    world_free(w);
}

/* ---- many others are away ---- */

/* Node 0 knows n1, who is there, and so many at n2's address, where nobody is. */
static struct world *crowd(uint64_t seed, unsigned count) {
    struct world *w = world_new(3, seed);
    world_pair(w, 0, 1);
    world_run(w, 12 * S);
    w->nodes[2].unplugged = true;
    add_strangers(w, count, &w->nodes[2].addr);
    world_kill(w, 0);
    world_start(w, 0);
    world_run(w, S);
    return w;
}

/* A message that the other side has no room for yet is sent again after 5 s, whoever else is to be
 * dialled by then. */
static void a_message_that_is_held_does_not_wait_for_those_who_are_away(void **state) {
    (void)state;
    struct world *w = crowd(70, MANY_AWAY);
    struct node_policy was, none;
    uint64_t seq;
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, S);
    node_get_policy(w->nodes[1].node, &was);
    none = was;
    none.message_quota_bytes = none.message_quota_contact_bytes = 1;
    node_set_policy(w->nodes[1].node, &none);
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
    world_run(w, S);
    assert_int_equal(contact_seen(w, 0, "n1").refused, ERR_FULL);
    node_set_policy(w->nodes[1].node, &was);
    world_run(w, 6 * S);
    assert_int_equal(contact_seen(w, 0, "n1").queued, 0);
    world_free(w);
}

/* Who was there a moment ago comes before those who have been away for long. */
static void who_was_lost_is_dialled_before_those_who_are_away(void **state) {
    (void)state;
    struct world *w = crowd(71, MANY_AWAY);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, S);
    w->nodes[1].cfg.lazy = true;
    node_shutdown(w->nodes[1].node, w->now_us);
    world_run(w, 100 * MS);
    world_kill(w, 1);
    world_start(w, 1);
    world_run(w, 4 * S);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_free(w);
}

/* A network that changes each second puts nobody off for ever. */
static void changes_without_end_put_nobody_off(void **state) {
    (void)state;
    struct world *w = crowd(72, 300);
    for (unsigned i = 0; i < 40; i++) {
        node_network_changed(w->nodes[0].node, w->now_us);
        world_run(w, S);
    }
    for (unsigned i = 0; i < 300; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%u", i);
        assert_int_not_equal(contact_seen(w, 0, name).state, CONTACT_CONNECTING);
    }
    world_free(w);
}

/* Many whose sessions end as soon as they are up would take the whole rate. */
static void who_comes_and_goes_puts_nobody_off(void **state) {
    (void)state;
    enum { FLAPPING = 150, ALL = 400 };
    struct world *w = crowd(73, ALL);
    struct node *n = w->nodes[0].node;
    for (unsigned s = 0; s < 45; s++) {
        for (unsigned i = 0; i < FLAPPING; i++) {
            char name[16];
            snprintf(name, sizeof name, "x%u", i);
            struct contact *c = contact_by_name(&n->contacts, name);
            if (!c->peering->dial.lost || c->peering->dial.next_us == 0)
                dial_down(&n->dials, c->peering, ERR_CLOSED);
        }
        world_run(w, S);
    }
    for (unsigned i = FLAPPING; i < ALL; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%u", i);
        assert_int_not_equal(contact_seen(w, 0, name).state, CONTACT_CONNECTING);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_start_with_many_contacts_is_spread),
        cmocka_unit_test(the_rate_is_for_all_that_are_away),
        cmocka_unit_test(a_message_that_is_held_does_not_wait_for_those_who_are_away),
        cmocka_unit_test(who_was_lost_is_dialled_before_those_who_are_away),
        cmocka_unit_test(changes_without_end_put_nobody_off),
        cmocka_unit_test(who_comes_and_goes_puts_nobody_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
