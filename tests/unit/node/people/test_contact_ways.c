/* By which ways a contact is reached: the relays of its ticket, and the path that the user has set;
 * both over restarts. And what a node's own tickets name.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/people/ticket.h"
#include "support_world.h"

enum { S = 1000000 };

static struct relay_config relays(unsigned count) {
    struct relay_config c;
    relay_config_init(&c);
    for (unsigned i = 0; i < count; i++) {
        c.use[i] = (struct relay_addr){.port = (uint16_t)(7000 + i), .id = {{(uint8_t)(40 + i)}}};
        snprintf(c.use[i].host, sizeof c.use[i].host, "relay%u.example", i);
    }
    c.use_count = count;
    return c;
}

static void set_policy(struct world *w, unsigned i, unsigned count, enum path_policy path) {
    const struct relay_config c = relays(count);
    struct node_policy p;
    node_get_policy(w->nodes[i].node, &p);
    p.relay = &c;
    p.path = path;
    node_set_policy(w->nodes[i].node, &p);
}

static struct ticket ticket_of(struct world *w, unsigned i, char text[static TICKET_TEXT_MAX + 1]) {
    struct ticket t;
    assert_int_equal(node_ticket_new(w->nodes[i].node, w->now_us, NULL, 3600, text), 0);
    assert_int_equal(ticket_decode(&t, text), 0);
    return t;
}

static struct contact_info known(struct world *w, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[1].node, w->now_us, name, &c));
    return c;
}

static void a_ticket_names_what_the_policy_allows(void **state) {
    (void)state;
    struct world *w = world_new(1, 50);
    char text[TICKET_TEXT_MAX + 1];
    struct ticket t = ticket_of(w, 0, text);
    assert_int_equal(t.relays.count, 0);
    assert_int_equal(t.addr_count, 1);
    set_policy(w, 0, 6, PATH_AUTO);
    t = ticket_of(w, 0, text);
    assert_int_equal(t.addr_count, 1);
    assert_in_range(t.relays.count, 1, RELAY_SET_MAX); /* its homes: node/mesh chooses */
    assert_non_null(strstr(t.relays.list[0].host, ".example"));
    set_policy(w, 0, 2, PATH_RELAY_ONLY);
    t = ticket_of(w, 0, text);
    assert_int_equal(t.addr_count, 0);
    assert_in_range(t.relays.count, 1, RELAY_SET_MAX);
    set_policy(w, 0, 2, PATH_DIRECT_ONLY);
    t = ticket_of(w, 0, text);
    assert_int_equal(t.addr_count, 1);
    assert_int_equal(t.relays.count, 0);
    set_policy(w, 0, 0, PATH_RELAY_ONLY); /* it would lead nowhere */
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, NULL, 3600, text),
                     ERR_UNSUPPORTED);
    assert_int_equal(text[0], '\0');
    world_free(w);
}

static void a_contact_keeps_the_relays_of_its_ticket(void **state) {
    (void)state;
    struct world *w = world_new(2, 51);
    char text[TICKET_TEXT_MAX + 1];
    set_policy(w, 0, 3, PATH_AUTO);
    const struct ticket t = ticket_of(w, 0, text);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", text), 0);
    assert_true(relay_set_equal(known(w, "anna").relays, &t.relays));
    world_run(w, 2 * S);
    assert_true(known(w, "anna").paired);
    for (unsigned starts = 0; starts < 2; starts++) {
        assert_true(relay_set_equal(known(w, "anna").relays, &t.relays));
        world_kill(w, 1);
        world_start(w, 1);
    }
    assert_int_equal(node_contact_rename(w->nodes[1].node, w->now_us, "anna", "ann"), 0);
    world_kill(w, 1);
    world_start(w, 1);
    assert_true(relay_set_equal(known(w, "ann").relays, &t.relays));
    assert_int_equal(node_contact_remove(w->nodes[1].node, w->now_us, "ann"), 0);
    world_free(w);
}

static void another_ticket_puts_its_relays_first(void **state) {
    (void)state;
    struct world *w = world_new(2, 52);
    char text[TICKET_TEXT_MAX + 1];
    set_policy(w, 0, 4, PATH_AUTO);
    const struct relay_config c = relays(4);
    struct ticket t = ticket_of(w, 0, text);
    t.relays = (struct relay_set){.count = 4, .list = {c.use[0], c.use[1], c.use[2], c.use[3]}};
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", text), 0);
    /* Two of them the other way round, in a ticket of the same node. */
    t.relays = (struct relay_set){.count = 2, .list = {c.use[3], c.use[1]}};
    assert_int_equal(ticket_encode(&t, text), 0);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", text), 0);
    static const unsigned order[] = {3, 1, 0, 2};
    for (unsigned starts = 0; starts < 2; starts++) {
        const struct contact_info i = known(w, "anna");
        assert_int_equal(i.relays->count, 4);
        for (unsigned k = 0; k < 4; k++)
            assert_true(relay_addr_equal(&i.relays->list[k], &c.use[order[k]]));
        world_kill(w, 1);
        world_start(w, 1);
    }
    /* One that cannot be stored changes nothing. */
    t.relays = (struct relay_set){.count = 1, .list = {c.use[2]}};
    assert_int_equal(ticket_encode(&t, text), 0);
    store_die_at(w, 1, 1);
    assert_int_not_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", text), 0);
    store_die_at(w, 1, 0);
    assert_true(relay_addr_equal(&known(w, "anna").relays->list[0], &c.use[3]));
    world_free(w);
}

static void a_path_that_was_set_holds_and_survives(void **state) {
    (void)state;
    static const struct {
        enum contact_path own;
        enum path_policy node, holds;
    } cases[] = {
        {CONTACT_PATH_NODE, PATH_AUTO, PATH_AUTO},
        {CONTACT_PATH_NODE, PATH_RELAY_ONLY, PATH_RELAY_ONLY},
        {CONTACT_PATH_NODE, PATH_DIRECT_ONLY, PATH_DIRECT_ONLY},
        {CONTACT_PATH_AUTO, PATH_RELAY_ONLY, PATH_AUTO},
        {CONTACT_PATH_RELAY_ONLY, PATH_AUTO, PATH_RELAY_ONLY},
        {CONTACT_PATH_RELAY_ONLY, PATH_DIRECT_ONLY, PATH_RELAY_ONLY},
        {CONTACT_PATH_DIRECT_ONLY, PATH_RELAY_ONLY, PATH_DIRECT_ONLY},
    };
    struct world *w = world_new(2, 53);
    world_pair(w, 0, 1);
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(node_contact_path(w->nodes[1].node, w->now_us, "n0", cases[i].own), 0);
        w->nodes[1].cfg.path = cases[i].node;
        set_policy(w, 1, 0, cases[i].node);
        for (unsigned starts = 0; starts < 2; starts++) {
            assert_int_equal(known(w, "n0").path_own, cases[i].own);
            assert_int_equal(known(w, "n0").path, cases[i].holds);
            world_kill(w, 1);
            world_start(w, 1);
        }
    }
    assert_int_equal(node_contact_path(w->nodes[1].node, w->now_us, "bob", CONTACT_PATH_AUTO),
                     ERR_NOT_FOUND);
    store_die_at(w, 1, 1);
    assert_int_not_equal(
        node_contact_path(w->nodes[1].node, w->now_us, "n0", CONTACT_PATH_RELAY_ONLY), 0);
    store_die_at(w, 1, 0);
    assert_int_equal(known(w, "n0").path, PATH_DIRECT_ONLY);
    world_free(w);
}

/* Its own packets are counted, whatever becomes of them. */
static void under_relay_only_nothing_goes_to_an_address(void **state) {
    (void)state;
    struct world *w = world_new(2, 54);
    uint64_t seq;
    world_pair(w, 0, 1);
    world_run(w, 5 * S);
    assert_true(known(w, "n0").online);
    assert_int_equal(node_contact_path(w->nodes[1].node, w->now_us, "n0", CONTACT_PATH_RELAY_ONLY),
                     0);
    const unsigned before = w->nodes[1].sent;
    assert_int_equal(node_message_send(w->nodes[1].node, w->now_us, "n0", "hi", 2, &seq), 0);
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "hi", 2, &seq), 0);
    world_run(w, 30 * S);
    assert_int_equal(w->nodes[1].sent, before);
    assert_int_equal(world_count(w, 0, NODE_MESSAGE_DELIVERED), 0);
    world_kill(w, 1);
    world_start(w, 1);
    world_run(w, 30 * S);
    assert_int_equal(w->nodes[1].sent, before);
    assert_int_equal(node_contact_path(w->nodes[1].node, w->now_us, "n0", CONTACT_PATH_DIRECT_ONLY),
                     0);
    assert_int_equal(node_connect(w->nodes[1].node, w->now_us, "n0"), 0);
    assert_non_null(world_wait(w, 1, NODE_MESSAGE_DELIVERED, 10 * S));
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_names_what_the_policy_allows),
        cmocka_unit_test(a_contact_keeps_the_relays_of_its_ticket),
        cmocka_unit_test(another_ticket_puts_its_relays_first),
        cmocka_unit_test(a_path_that_was_set_holds_and_survives),
        cmocka_unit_test(under_relay_only_nothing_goes_to_an_address),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
