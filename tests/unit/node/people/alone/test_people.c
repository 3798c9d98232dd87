/* Contacts, invitations and pairing on an endpoint that is the test's own: nothing that is sent to
 * a contact is in this program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "net/endpoint.h"
#include "support_peers.h"

static const struct relay_set no_homes;

/* A part above: it counts what it hears. */
static struct {
    unsigned made, gone, renamed, voided;
    int no_room;
} above;

static int above_new(void *self, struct contact *c) {
    (void)self;
    (void)c;
    above.made += above.no_room == 0;
    return above.no_room;
}

static void above_gone(void *self, struct contact *c) {
    (void)self;
    (void)c;
    above.gone++;
}

static void above_renamed(void *self, const struct contact *c) {
    (void)self;
    (void)c;
    above.renamed++;
}

static int above_void(void *self, const struct contact *c) {
    (void)self;
    (void)c;
    above.voided++;
    return above.no_room;
}

static const struct part_ops above_part = {.contact_new = above_new,
                                           .contact_gone = above_gone,
                                           .renamed = above_renamed,
                                           .contact_void = above_void};

static void begin(struct scene *s) {
    scene_begin(s);
    memset(&above, 0, sizeof above);
    (void)parts_add(&s->turn.parts, &above_part, NULL);
}

static void what_is_above_hears_of_each_contact_once(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    begin(&s);
    struct contact *c = scene_contact(&s, "ann", 1);
    assert_int_equal(above.made, 1);
    assert_true(scene_heard(&s, NODE_CONTACT_ADDED, &e));
    assert_string_equal(e.contact, "ann");
    assert_int_equal(pairing_rename(&s.pairing, "ann", "bob"), 0);
    assert_int_equal(above.renamed, 1);
    assert_true(scene_heard(&s, NODE_CONTACT_RENAMED, &e));
    assert_string_equal(e.contact, "bob");
    assert_string_equal(e.detail, "ann");
    assert_string_equal(c->peering->name, "bob"); /* events of the peer have the new name */
    assert_int_equal(pairing_remove(&s.pairing, "bob"), 0);
    assert_int_equal(above.voided, 1);
    assert_int_equal(above.gone, 1);
    assert_null(contact_by_name(&s.people, "bob"));
    assert_false(fake[0].there);
    scene_end(&s);
}

static void what_cannot_be_removed_stays(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    scene_contact(&s, "ann", 1);
    above.no_room = ERR_DISK;
    assert_int_equal(pairing_remove(&s.pairing, "ann"), ERR_DISK);
    assert_int_equal(above.gone, 0);
    assert_non_null(contact_by_name(&s.people, "ann"));
    assert_int_equal(store_mem_count(s.memory, "contacts"), 1);
    scene_end(&s);
}

static void one_that_finds_no_room_above_is_nobody(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    above.no_room = ERR_NOMEM;
    struct contact model = {.id = id_of(1), .name = "ann"}, *c;
    assert_int_equal(contact_add(&s.people, &model, &c), ERR_NOMEM);
    assert_null(contact_by_name(&s.people, "ann"));
    assert_false(fake[0].there);
    assert_int_equal(store_mem_count(s.memory, "contacts"), 0);
    above.no_room = 0;
    scene_contact(&s, "ann", 1);
    scene_end(&s);
}

static void contacts_are_back_after_a_restart_and_called(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    scene_contact(&s, "ann", 1);
    scene_contact(&s, "bob", 2);
    scene_restart(&s);
    assert_int_equal(s.people.count, 2);
    const struct contact *ann = contact_by_name(&s.people, "ann");
    assert_non_null(ann);
    assert_true(node_id_equal(&ann->id, &(struct node_id){.bytes = {1, [31] = 1}}));
    scene_wait(&s, S);
    assert_int_equal(fake[ann->peering->ref.index].calls, 1);
    assert_int_equal(fake[contact_by_name(&s.people, "bob")->peering->ref.index].calls, 1);
    scene_end(&s);
}

static void a_ticket_holds_over_a_restart_until_it_is_taken_back(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    char text[TICKET_TEXT_MAX + 1];
    begin(&s);
    assert_int_equal(pairing_ticket(&s.pairing, &no_homes, "ann", 3600, text), 0);
    assert_false(scene_heard(&s, NODE_TICKET_STORED, &e)); /* not before it is safe */
    scene_sync(&s);
    assert_true(scene_heard(&s, NODE_TICKET_STORED, &e));
    assert_int_equal(e.id, pairing_ticket_id(text));
    assert_int_equal(fake_tickets, 1);
    char again[TICKET_TEXT_MAX + 1];
    assert_int_equal(pairing_ticket(&s.pairing, &no_homes, "ann", 3600, again), ERR_EXISTS);
    scene_restart(&s);
    assert_int_equal(fake_tickets, 1);
    assert_int_equal(pairing_ticket_end(&s.pairing, text), 0);
    assert_int_equal(fake_tickets, 0);
    assert_int_equal(pairing_ticket_end(&s.pairing, text), ERR_NOT_FOUND);
    scene_end(&s);
}

static void an_expired_ticket_is_in_no_table(void **state) {
    (void)state;
    struct scene s;
    char text[TICKET_TEXT_MAX + 1];
    begin(&s);
    assert_int_equal(pairing_ticket(&s.pairing, &no_homes, NULL, 60, text), 0);
    scene_wait(&s, 61 * (uint64_t)S);
    assert_int_equal(fake_tickets, 0);
    assert_int_equal(store_mem_count(s.memory, "tickets"), 0);
    scene_end(&s);
}

/* The holder of a ticket comes: a contact under the reserved name, paired once that is safe. */
static void a_tickets_holder_becomes_a_contact_and_the_secret_counts_once_it_is_safe(void **state) {
    (void)state;
    struct scene s;
    char text[TICKET_TEXT_MAX + 1];
    struct ep_event ev = {.kind = EP_PAIRED, .node = id_of(5)};
    struct peer_setup setup = {.id = id_of(5)};
    begin(&s);
    assert_int_equal(pairing_ticket(&s.pairing, &no_homes, "ann", 3600, text), 0);
    scene_sync(&s);
    ev.ticket = s.invites.list[0].psk;
    memset(&ev.secret, 0x42, sizeof ev.secret);
    assert_int_equal(endpoint_peer_add(NULL, &setup, &ev.peer), 0); /* as the endpoint has by now */
    pairing_done(&s.pairing, &ev);
    const struct contact *c = contact_by_name(&s.people, "ann");
    assert_non_null(c);
    assert_int_equal(fake_tickets, 0);
    assert_false(c->kept);
    assert_int_equal(fake[c->peering->ref.index].setup.psk_count, 1); /* the ticket's only */
    scene_sync(&s);
    assert_true(c->kept);
    assert_int_equal(fake[c->peering->ref.index].setup.psk_count, 2);
    assert_memory_equal(&fake[c->peering->ref.index].setup.psks[0], &ev.secret, sizeof ev.secret);
    scene_restart(&s); /* what is found then is safe */
    c = contact_by_name(&s.people, "ann");
    assert_int_equal(fake[c->peering->ref.index].setup.psk_count, 2);
    scene_end(&s);
}

static void a_pairing_that_cannot_be_stored_has_not_happened(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    char text[TICKET_TEXT_MAX + 1];
    struct ep_event ev = {.kind = EP_PAIRED, .node = id_of(5)};
    struct peer_setup setup = {.id = id_of(5)};
    begin(&s);
    assert_int_equal(pairing_ticket(&s.pairing, &no_homes, "ann", 3600, text), 0);
    scene_sync(&s);
    ev.ticket = s.invites.list[0].psk;
    assert_int_equal(endpoint_peer_add(NULL, &setup, &ev.peer), 0);
    store_mem_fail(s.memory, 0, ERR_DISK);
    pairing_done(&s.pairing, &ev);
    assert_null(contact_by_name(&s.people, "ann"));
    assert_true(scene_heard(&s, NODE_PAIRING_FAILED, &e));
    assert_int_equal(e.err, ERR_DISK);
    assert_int_equal(s.invites.count, 1); /* it still holds */
    assert_true(above.made == 1 && above.gone == 1);
    store_mem_fail(s.memory, 0, 0);
    scene_end(&s);
}

/* They pair anew before the first time is safe: a secret counts once its own barrier is back. And
 * if that cannot be stored, the first one counts once it is safe. */
static void each_secret_waits_for_its_own_barrier(void **state) {
    (void)state;
    for (int fails = 0; fails < 2; fails++) {
        struct scene s;
        char text[TICKET_TEXT_MAX + 1];
        struct ep_event ev = {.kind = EP_PAIRED, .node = id_of(5)};
        struct peer_setup setup = {.id = id_of(5)};
        begin(&s);
        assert_int_equal(pairing_ticket(&s.pairing, &no_homes, "ann", 3600, text), 0);
        scene_sync(&s);
        ev.ticket = s.invites.list[0].psk;
        assert_int_equal(endpoint_peer_add(NULL, &setup, &ev.peer), 0);
        pairing_done(&s.pairing, &ev);
        const struct contact *c = contact_by_name(&s.people, "ann");
        assert_non_null(c);
        keep_pump(&s.keep);
        struct file_op *op = work_take(&s.work); /* the first one's */
        assert_non_null(op);
        memset(&ev.secret, 0x42, sizeof ev.secret);
        if (fails)
            store_mem_fail(s.memory, 0, ERR_DISK);
        pairing_done(&s.pairing, &ev);
        store_mem_fail(s.memory, 0, 0);
        op->err = store_mem_sync_end(s.memory, store_mem_sync_begin(s.memory));
        s.work.out--;
        keep_op_done(&s.keep, op);
        assert_int_equal(c->kept, fails);
        scene_sync(&s);
        assert_true(c->kept);
        scene_end(&s);
    }
}

static void who_goes_leaves_neither_calls_nor_echoes_behind(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    uint64_t id = 0;
    begin(&s);
    struct contact *c = scene_contact(&s, "ann", 1);
    dial_soon(&s.dials, c->peering);
    assert_int_equal(ping_start(&s.pings, c->peering, 0, &id), 0);
    assert_int_equal(pairing_remove(&s.pairing, "ann"), 0);
    assert_true(scene_heard(&s, NODE_PING_FAILED, &e));
    assert_int_equal(e.err, ERR_CANCELLED);
    assert_int_equal(e.id, id);
    assert_int_equal(s.pings.count, 0);
    assert_true(dials_deadline_us(&s.dials) == UINT64_MAX);
    store_mem_fail(s.memory, 0, ERR_DISK); /* one that cannot be stored was told of, and goes */
    struct contact model = {.id = id_of(2), .name = "bob"}, *b;
    assert_int_equal(contact_add(&s.people, &model, &b), ERR_DISK);
    assert_true(above.made == 2 && above.gone == 2);
    store_mem_fail(s.memory, 0, 0);
    scene_end(&s);
}

/* Whether a peer lets us in is known to who calls it, also where that is not stored. */
static void a_refusal_counts_even_if_it_is_not_stored(void **state) {
    (void)state;
    struct scene s;
    begin(&s);
    struct contact *c = scene_contact(&s, "ann", 1);
    store_mem_fail(s.memory, 0, ERR_DISK);
    (void)denial_heard(&s.people, c, ERR_UNKNOWN, false);
    assert_true(c->peering->refused);
    denial_over(&s.people, c);
    assert_false(c->peering->refused);
    store_mem_fail(s.memory, 0, 0);
    for (unsigned i = 0; i <= DENIAL_BURST; i++) { /* the last one is beyond what is stored */
        (void)denial_heard(&s.people, c, ERR_UNKNOWN, false);
        assert_true(c->peering->refused);
        denial_over(&s.people, c);
        assert_false(c->peering->refused);
    }
    scene_end(&s);
}

static void a_refusal_is_told_once_and_remembered(void **state) {
    (void)state;
    struct scene s;
    struct node_event e;
    begin(&s);
    struct contact *c = scene_contact(&s, "ann", 1);
    assert_int_equal(denial_heard(&s.people, c, ERR_UNKNOWN, false), ERR_UNKNOWN);
    assert_true(scene_heard(&s, NODE_CONTACT_DENIED, &e));
    assert_true(c->peering->refused);
    assert_int_equal(denial_heard(&s.people, c, ERR_UNKNOWN, false), ERR_UNKNOWN);
    assert_false(scene_heard(&s, NODE_CONTACT_DENIED, &e));
    scene_restart(&s);
    c = contact_by_name(&s.people, "ann");
    assert_int_equal(c->denied, ERR_UNKNOWN);
    assert_true(c->peering->refused);
    denial_over(&s.people, c);
    assert_false(c->peering->refused);
    scene_end(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_above_hears_of_each_contact_once),
        cmocka_unit_test(what_cannot_be_removed_stays),
        cmocka_unit_test(one_that_finds_no_room_above_is_nobody),
        cmocka_unit_test(contacts_are_back_after_a_restart_and_called),
        cmocka_unit_test(a_ticket_holds_over_a_restart_until_it_is_taken_back),
        cmocka_unit_test(an_expired_ticket_is_in_no_table),
        cmocka_unit_test(a_tickets_holder_becomes_a_contact_and_the_secret_counts_once_it_is_safe),
        cmocka_unit_test(a_pairing_that_cannot_be_stored_has_not_happened),
        cmocka_unit_test(each_secret_waits_for_its_own_barrier),
        cmocka_unit_test(who_goes_leaves_neither_calls_nor_echoes_behind),
        cmocka_unit_test(a_refusal_counts_even_if_it_is_not_stored),
        cmocka_unit_test(a_refusal_is_told_once_and_remembered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
