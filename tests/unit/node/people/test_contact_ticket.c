/* A ticket makes two contacts of two nodes, once, and under which names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "node/people/ticket.h"
#include "support_world.h"

enum { S = 1000000 };

static void a_ticket_makes_two_contacts_and_burns(void **state) {
    (void)state;
    struct world *w = world_new(3, 1);
    char ticket[TICKET_TEXT_MAX + 1];
    struct contact_info c;
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, "bob", 3600, ticket), 0);
    assert_int_equal(store_count(w, 0, "tickets"), 1);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, 0, NODE_PEER_UP, 10 * S));
    assert_non_null(world_wait(w, 1, NODE_PEER_UP, 10 * S));
    assert_true(node_contact_get(w->nodes[0].node, w->now_us, "bob", &c));
    assert_true(c.paired && c.online);
    assert_true(node_id_equal(&c.id, node_self(w->nodes[1].node)));
    assert_true(node_contact_get(w->nodes[1].node, w->now_us, "anna", &c));
    assert_true(c.paired && c.online);
    assert_true(addr_equal(&c.addrs[0], &w->nodes[0].addr));
    assert_int_equal(store_count(w, 0, "tickets"), 0);
    assert_int_equal(world_count(w, 0, NODE_CONTACT_ADDED), 1);
    /* Whoever finds the text later gets nowhere. */
    assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "anna", ticket), 0);
    struct node_event *e = world_wait(w, 2, NODE_CONNECT_FAILED, 60 * S);
    assert_non_null(e);
    assert_int_equal(world_count(w, 0, NODE_CONTACT_ADDED), 1);
    world_free(w);
}

static void contacts_and_open_tickets_survive_a_restart(void **state) {
    (void)state;
    struct world *w = world_new(2, 2);
    char ticket[TICKET_TEXT_MAX + 1];
    struct contact_info c;
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, "bob", 3600, ticket), 0);
    world_kill(w, 0);
    world_start(w, 0);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, 0, NODE_PEER_UP, 10 * S));
    world_run(w, S);
    for (unsigned i = 0; i < 2; i++) {
        world_kill(w, i);
        world_start(w, i);
    }
    world_run(w, 1000);
    assert_true(node_contact_at(w->nodes[0].node, w->now_us, 0, &c));
    assert_string_equal(c.name, "bob");
    assert_true(c.paired && !c.online);
    assert_true(addr_equal(&c.addrs[0], &w->nodes[1].addr)); /* where it was last seen */
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "bob"), 0);
    world_run(w, S);
    assert_true(node_contact_get(w->nodes[1].node, w->now_us, "anna", &c));
    assert_true(c.paired && c.online);
    world_free(w);
}

static void bad_names_taken_names_and_bad_tickets_are_refused(void **state) {
    (void)state;
    struct world *w = world_new(3, 3);
    struct node *a = w->nodes[0].node, *b = w->nodes[1].node;
    char ticket[TICKET_TEXT_MAX + 1], other[TICKET_TEXT_MAX + 1];
    assert_int_equal(node_ticket_new(a, w->now_us, "a/b", 3600, ticket), ERR_USAGE);
    assert_int_equal(node_ticket_new(a, w->now_us, "bob", 0, ticket), ERR_USAGE);
    assert_int_equal(node_ticket_new(a, w->now_us, "bob", 3600, ticket), 0);
    assert_int_equal(node_ticket_new(a, w->now_us, "bob", 3600, other), ERR_EXISTS);
    assert_int_equal(node_contact_add(a, w->now_us, "me", ticket), ERR_USAGE);
    assert_int_equal(node_contact_add(b, w->now_us, "-x", ticket), ERR_USAGE);
    assert_int_equal(node_contact_add(b, w->now_us, "anna", "meshticket1xyz"), ERR_FORMAT);
    assert_int_equal(node_contact_add(b, w->now_us, "anna", ticket), 0);
    world_run(w, 2 * S);
    assert_int_equal(node_contact_add(b, w->now_us, "anna2", ticket), ERR_EXISTS); /* the id */
    assert_int_equal(node_ticket_new(w->nodes[2].node, w->now_us, NULL, 60, other), 0);
    assert_int_equal(node_contact_add(b, w->now_us, "anna", other), ERR_EXISTS);
    world_run(w, 61 * S);
    assert_int_equal(node_contact_add(b, w->now_us, "carl", other), ERR_TIMEOUT);
    assert_int_equal(store_count(w, 2, "tickets"), 0); /* expired ones are removed */
    assert_int_equal(node_contact_remove(b, w->now_us, "nobody"), ERR_NOT_FOUND);
    assert_int_equal(node_connect(b, w->now_us, "nobody"), ERR_NOT_FOUND);
    world_free(w);
}

/* "peer-" and the first characters of an id. */
static void default_name(const struct world *w, unsigned i, char out[static 32]) {
    char text[NODE_ID_TEXT_CHARS + 1];
    node_id_text(node_self(w->nodes[i].node), text);
    snprintf(out, 32, "peer-%.8s", text + 5);
}

static void whoever_takes_an_unnamed_ticket_is_named_after_itself(void **state) {
    (void)state;
    struct world *w = world_new(3, 4);
    struct node *a = w->nodes[0].node;
    char ticket[2][TICKET_TEXT_MAX + 1], name[2][32], taken[TICKET_TEXT_MAX + 1];
    struct contact_info c;
    for (unsigned i = 0; i < 2; i++) {
        default_name(w, i + 1, name[i]);
        assert_int_equal(node_ticket_new(a, w->now_us, NULL, 3600, ticket[i]), 0);
    }
    /* Its name may be reserved for somebody else by now. */
    assert_int_equal(node_ticket_new(a, w->now_us, name[1], 3600, taken), 0);
    world_kill(w, 0);
    world_start(w, 0);
    a = w->nodes[0].node;
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(node_contact_add(w->nodes[i + 1].node, w->now_us, "anna", ticket[i]), 0);
    world_run(w, 2 * S);
    assert_true(node_contact_get(a, w->now_us, name[0], &c));
    assert_true(node_id_equal(&c.id, node_self(w->nodes[1].node)));
    assert_false(node_contact_get(a, w->now_us, name[1], &c));
    strcat(name[1], "-2");
    assert_true(node_contact_get(a, w->now_us, name[1], &c));
    assert_true(node_id_equal(&c.id, node_self(w->nodes[2].node)));
    world_free(w);
}

/* An older meshd stored its own id's name with them; such tickets still hold after an update. */
static void unnamed_tickets_of_an_older_meshd_are_unnamed(void **state) {
    (void)state;
    struct world *w = world_new(3, 6);
    char ticket[2][TICKET_TEXT_MAX + 1], own[40], name[32];
    struct contact_info c;
    for (unsigned i = 0; i < 2; i++) {
        default_name(w, 0, own);
        if (i == 1)
            strcat(own, "-2");
        assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, own, 3600, ticket[i]), 0);
    }
    world_kill(w, 0);
    world_start(w, 0);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(node_contact_add(w->nodes[i + 1].node, w->now_us, "anna", ticket[i]), 0);
    world_run(w, 2 * S);
    for (unsigned i = 0; i < 2; i++) {
        default_name(w, i + 1, name);
        assert_true(node_contact_get(w->nodes[0].node, w->now_us, name, &c));
        assert_true(node_id_equal(&c.id, node_self(w->nodes[i + 1].node)));
    }
    world_free(w);
}

static void removing_a_contact_burns_the_ticket_of_its_name(void **state) {
    (void)state;
    struct world *w = world_new(2, 33);
    char ticket[TICKET_TEXT_MAX + 1], other[TICKET_TEXT_MAX + 1];
    struct contact_info c;
    struct node *a = w->nodes[0].node;
    assert_int_equal(node_ticket_new(a, w->now_us, "bob", 3600, ticket), 0);
    assert_int_equal(node_ticket_new(a, w->now_us, "carl", 3600, other), 0);
    world_run(w, S);
    const unsigned scrubs = w->nodes[0].scrubs;
    assert_int_equal(node_contact_remove(a, w->now_us, "bob"), 0);
    assert_int_equal(store_count(w, 0, "tickets"), 1);
    world_run(w, S);
    assert_int_equal(w->nodes[0].scrubs, scrubs + 1); /* its secret is in no file */
    assert_int_equal(node_contact_remove(a, w->now_us, "bob"), ERR_NOT_FOUND);
    assert_int_equal(node_contact_add(w->nodes[1].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, 1, NODE_CONNECT_FAILED, 60 * S));
    assert_false(node_contact_at(a, w->now_us, 0, &c));
    /* Nor does it come back with the next start. */
    world_kill(w, 0);
    world_start(w, 0);
    assert_int_equal(node_connect(w->nodes[1].node, w->now_us, "anna"), 0);
    assert_non_null(world_wait(w, 1, NODE_CONNECT_FAILED, 60 * S));
    assert_false(node_contact_at(w->nodes[0].node, w->now_us, 0, &c));
    world_free(w);
}

static void too_many_open_tickets_are_refused(void **state) {
    (void)state;
    struct world *w = world_new(1, 6);
    char ticket[TICKET_TEXT_MAX + 1];
    for (unsigned i = 0; i < TICKETS_OPEN_MAX; i++)
        assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, NULL, 60, ticket), 0);
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, NULL, 60, ticket), ERR_FULL);
    world_run(w, 61 * S);
    assert_int_equal(node_ticket_new(w->nodes[0].node, w->now_us, NULL, 60, ticket), 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ticket_makes_two_contacts_and_burns),
        cmocka_unit_test(contacts_and_open_tickets_survive_a_restart),
        cmocka_unit_test(bad_names_taken_names_and_bad_tickets_are_refused),
        cmocka_unit_test(whoever_takes_an_unnamed_ticket_is_named_after_itself),
        cmocka_unit_test(unnamed_tickets_of_an_older_meshd_are_unnamed),
        cmocka_unit_test(removing_a_contact_burns_the_ticket_of_its_name),
        cmocka_unit_test(too_many_open_tickets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
