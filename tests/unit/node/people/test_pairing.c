/* Pairing while a store fails, a process dies or the power is cut: whatever happens to either side
 * at whatever write, the two are contacts in the end, by themselves or by adding the ticket once
 * more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/node_int.h"
#include "node/people/contact_store.h"
#include "node/people/pairing.h"
#include "support_world.h"

enum { S = 1000000, MS = 1000, INVITER = 0, HOLDER = 1, FAULTS_MAX = 40 };

static const char *const called[] = {"bob", "anna"}; /* the other one, by each */

enum fault {
    FAILS, /* the store fails from the n-th write on, for a while */
    DIES,  /* the process dies instead of its n-th write */
    POWER, /* the power is cut after the n-th write; nothing since the last barrier survives */
    POWER_SPARES, /* of it, the first transaction survives */
    BARRIER,      /* barriers fail from the n-th on; then the power is cut */
    FAULT_KINDS,
};

static const char *const fault_names[] = {"fails", "dies", "power", "power spares", "barrier"};

static unsigned next(uint64_t *state) { /* splitmix64 */
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (unsigned)((z ^ z >> 31) >> 33);
}

static struct contact_info contact(struct world *w, unsigned i) {
    struct contact_info c;
    if (!node_contact_get(w->nodes[i].node, w->now_us, called[i], &c))
        memset(&c, 0, sizeof c);
    return c;
}

/* What is stored about the other: false if nothing. */
static bool stored(struct world *w, unsigned i, struct contact *c) {
    static struct relay_set relays;
    uint8_t value[CONTACT_VALUE_MAX];
    size_t len;
    const struct store *s = &w->nodes[i].env.store;
    const struct node_id *id = &w->nodes[!i].identity.id;
    return s->get(s->ctx, "contacts", id->bytes, 32, value, sizeof value, &len) == 0 &&
           contact_decode(c, &relays, id->bytes, 32, value, len);
}

/* The fault, `n` from 1. False: the pairing was over before it came. */
static bool strike(struct world *w, unsigned side, enum fault kind, unsigned n, uint64_t writes) {
    struct store_mem *m = w->nodes[side].store;
    const uint64_t end_us = w->now_us + 300 * MS;
    bool struck = false;
    if (kind == FAILS || kind == DIES)
        mem_store_die_at(m, n);
    if (kind == BARRIER)
        store_mem_fail_sync(m, n - 1, ERR_IO);
    while (!struck && w->now_us < end_us) {
        world_run(w, 100);
        struck = kind == FAILS || kind == DIES ? store_mem_failed(m)
                 : kind == BARRIER             ? false
                                               : store_mem_writes(m) >= writes + n;
    }
    if (kind == FAILS) {
        world_run(w, 500 * MS);
        mem_store_die_at(m, 0);
        return struck;
    }
    if (kind == BARRIER)
        struck = store_mem_at_risk(m) > 0;
    if (kind == DIES)
        world_kill(w, side);
    else
        world_power_cut(w, side, kind == POWER_SPARES ? 1 : 0);
    world_run(w, 100 * MS);
    world_start(w, side);
    return struck;
}

/* Both go on as users do: they dial, and add the ticket again if its contact is gone. */
static void go_on(struct world *w, const char *ticket) {
    for (unsigned tries = 0; tries < 6; tries++) {
        if (!contact(w, HOLDER).name[0])
            assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
        uint64_t
            seq; /* what waits for an answer notices that the other side has lost the session */
        (void)!node_connect(w->nodes[HOLDER].node, w->now_us, "anna");
        (void)!node_message_send(w->nodes[HOLDER].node, w->now_us, "anna", "hi", 2, &seq);
        world_run(w, 15 * S);
        if (contact(w, INVITER).online && contact(w, HOLDER).online && contact(w, INVITER).paired &&
            contact(w, HOLDER).paired)
            return;
    }
}

static void restart_both(struct world *w) {
    for (unsigned i = 0; i < 2; i++) {
        world_power_cut(w, i, 0);
        world_start(w, i);
    }
}

/* They have one pairing secret, and the ticket is of no use to anybody any more. */
static void assert_paired(struct world *w, const char *what) {
    static const struct psk none;
    struct contact c[2];
    for (unsigned i = 0; i < 2; i++) {
        if (!contact(w, i).online || !contact(w, i).paired || !stored(w, i, &c[i]))
            fail_msg("%s: %u is locked out: online %d %d, paired %d %d", what, i,
                     contact(w, 0).online, contact(w, 1).online, contact(w, 0).paired,
                     contact(w, 1).paired);
    }
    for (unsigned from = 0; from < 2; from++) {
        world_run(w, 2 * S);
        restart_both(w);
        (void)!node_connect(w->nodes[from].node, w->now_us, called[from]);
        world_run(w, 10 * S);
        if (!contact(w, 0).online || !contact(w, 1).online)
            fail_msg("%s: %u cannot dial after both were restarted", what, from);
    }
    for (unsigned i = 0; i < 2; i++) {
        assert_true(stored(w, i, &c[i]));
        if (c[i].pairing || !c[i].paired)
            fail_msg("%s: %u still keeps the ticket's secret", what, i);
        assert_memory_equal(&c[i].ticket, &none, sizeof none);
        assert_memory_equal(&contact_by_name(&w->nodes[i].node->contacts, called[i])->ticket, &none,
                            sizeof none);
        assert_int_equal(store_count(w, i, "tickets"), 0);
        assert_int_equal(store_count(w, i, "contacts"), 1);
    }
    assert_memory_equal(&c[0].psk, &c[1].psk, sizeof c[0].psk);
    /* Who holds an open ticket is never told that it is not let in. The inviter may be, by a holder
     * that has lost it all. */
    if (world_count(w, HOLDER, NODE_CONTACT_DENIED) > 0)
        fail_msg("%s: the holder was told that it is not let in", what);
    assert_true(contact(w, INVITER).denied == 0 && c[INVITER].denied == 0);
}

/* Up to where the fault is to come: before the ticket is added, or before the first handshake with
 * the pairing secret, which ends the ticket's. */
static int begin(struct world *w, bool second, unsigned side, const char *ticket) {
    struct contact c;
    world_run(w, 50 * MS);
    if (!second)
        return node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    world_run(w, 200 * MS);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(stored(w, i, &c) && c.paired && c.pairing);
        assert_int_equal(store_mem_at_risk(w->nodes[i].store), 0);
    }
    world_kill(w, !side);
    world_start(w, !side);
    world_run(w, 50 * MS);
    return node_connect(w->nodes[!side].node, w->now_us, called[!side]);
}

static bool one_fault(bool second, unsigned side, enum fault kind, unsigned n) {
    struct world *w = world_new(2, 40 + n);
    char ticket[TICKET_TEXT_MAX + 1], what[80];
    w->sync_us = 3 * MS;
    snprintf(what, sizeof what, "%s handshake, %s, %s at %u", second ? "second" : "first",
             side == INVITER ? "inviter" : "holder", fault_names[kind], n);
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    if (!second && side == HOLDER && (kind == FAILS || kind == DIES)) {
        world_run(w, 50 * MS);
        mem_store_die_at(w->nodes[side].store, n);
    }
    uint64_t writes = store_mem_writes(w->nodes[side].store);
    int err = begin(w, second, side, ticket);
    if (second || side == INVITER)
        writes = store_mem_writes(w->nodes[side].store);
    bool refused = err && !second && side == HOLDER; /* adding it failed, and said so */
    assert_true(err == 0 || refused);
    bool struck = strike(w, side, kind, n, writes) || refused;
    go_on(w, ticket);
    assert_paired(w, what);
    world_free(w);
    return struck;
}

static void pairing_survives_a_fault_at_any_write(void **state) {
    (void)state;
    unsigned cases = 0;
    for (unsigned second = 0; second < 2; second++)
        for (unsigned side = 0; side < 2; side++)
            for (unsigned kind = 0; kind < FAULT_KINDS; kind++) {
                unsigned n = 1;
                while (one_fault(second, side, (enum fault)kind, n))
                    assert_true(n++ < FAULTS_MAX);
                cases += n - 1;
            }
    assert_true(cases >= 30); /* faults that did come */
}

/* No barrier succeeds on one side; the other, where all is well, meets it again and again. Then the
 * power is cut. */
static void nobody_relies_on_a_secret_that_a_power_cut_can_take(void **state) {
    (void)state;
    for (unsigned side = 0; side < 2; side++) {
        struct world *w = world_new(2, 60 + side);
        struct store_mem *m = w->nodes[side].store;
        char ticket[TICKET_TEXT_MAX + 1];
        w->sync_us = 3 * MS;
        assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket),
                         0);
        world_run(w, 50 * MS);
        store_mem_fail_sync(m, 0, ERR_IO);
        assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
        world_run(w, 200 * MS);
        assert_true(contact(w, side).online);
        assert_false(contact(w, side).paired);
        assert_true(contact(w, !side).paired);
        for (unsigned i = 0; i < 2; i++) {
            world_kill(w, !side);
            world_start(w, !side);
            world_run(w, 50 * MS);
            (void)!node_connect(w->nodes[!side].node, w->now_us, called[!side]);
            world_run(w, 10 * S);
            assert_true(contact(w, 0).online && contact(w, 1).online);
        }
        assert_true(store_mem_at_risk(m) > 0);
        world_power_cut(w, side, 0);
        world_start(w, side);
        go_on(w, ticket);
        assert_paired(w,
                      side == INVITER ? "inviter without a barrier" : "holder without a barrier");
        world_free(w);
    }
}

/* Either side dies, or loses power, up to four times at any moment, on a line that loses packets,
 * while both dial as they like: so that handshakes with the ticket's secret and with the pairing
 * secret cross. */
static void pairing_survives_random_deaths_on_a_bad_line(void **state) {
    (void)state;
    for (unsigned seed = 1; seed <= 400; seed++) {
        struct world *w = world_new(2, 1000 + seed);
        uint64_t r = seed * UINT64_C(0x9e3779b97f4a7c15);
        char ticket[TICKET_TEXT_MAX + 1], what[32];
        snprintf(what, sizeof what, "seed %u", seed);
        w->sync_us = 1 + next(&r) % (20 * MS);
        w->delay_us = 1 + next(&r) % (20 * MS);
        w->loss_percent = next(&r) % 30;
        assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket),
                         0);
        world_run(w, 50 * MS);
        assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
        for (unsigned deaths = 1 + next(&r) % 4; deaths > 0; deaths--) {
            world_run(w, next(&r) % (next(&r) % 2 ? 100 * MS : 12 * S));
            unsigned side = next(&r) % 2;
            if (next(&r) % 2)
                world_power_cut(w, side, next(&r) % 3);
            else
                world_kill(w, side);
            world_run(w, next(&r) % (50 * MS));
            world_start(w, side);
            for (unsigned i = 0; i < 2; i++)
                if (next(&r) % 2)
                    (void)!node_connect(w->nodes[i].node, w->now_us, called[i]);
        }
        world_run(w, next(&r) % S);
        w->loss_percent = 0;
        go_on(w, ticket);
        assert_paired(w, what);
        world_free(w);
    }
}

/* The disk is full at whoever gave the ticket: both are told, and the same ticket works later. */
static void a_pairing_that_cannot_be_stored_is_undone_and_told(void **state) {
    (void)state;
    struct world *w = world_new(2, 90);
    char ticket[TICKET_TEXT_MAX + 1];
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    mem_store_die_at(w->nodes[INVITER].store, 1);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    struct node_event *e = world_wait(w, INVITER, NODE_PAIRING_FAILED, 10 * S);
    assert_non_null(e);
    assert_string_equal(e->contact, "bob");
    assert_int_equal(e->err, ERR_IO);
    assert_true(node_id_equal(&e->node, &w->nodes[HOLDER].identity.id));
    e = world_wait(w, HOLDER, NODE_PEER_DOWN, 10 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_IO);
    assert_int_equal(world_count(w, INVITER, NODE_CONTACT_ADDED), 0);
    assert_int_equal(world_count(w, INVITER, NODE_PEER_UP), 0);
    assert_string_equal(contact(w, INVITER).name, "");
    assert_int_equal(store_count(w, INVITER, "tickets"), 1);
    mem_store_die_at(w->nodes[INVITER].store, 0);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, INVITER, NODE_PEER_UP, 20 * S));
    assert_paired(w, "after a full disk");
    world_free(w);
}

/* The holder has lost what it stored and comes with the ticket again, while the disk of the other
 * side is full: there the pairing from before stays, and the holder is told. */
static void a_second_pairing_that_cannot_be_stored_leaves_the_first(void **state) {
    (void)state;
    struct world *w = world_new(2, 91);
    char ticket[TICKET_TEXT_MAX + 1];
    w->sync_us = 3 * MS;
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    world_run(w, 50 * MS);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, ERR_IO);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    world_run(w, 200 * MS);
    assert_true(contact(w, INVITER).paired);
    struct contact before, after;
    assert_true(stored(w, INVITER, &before));
    world_power_cut(w, HOLDER, 0);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, 0);
    world_start(w, HOLDER);
    world_run(w, 50 * MS);
    while (world_wait(w, HOLDER, NODE_PEER_DOWN, 0))
        continue;
    mem_store_die_at(w->nodes[INVITER].store, 1);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    assert_non_null(world_wait(w, INVITER, NODE_PAIRING_FAILED, 10 * S));
    assert_true(contact(w, INVITER).paired);
    struct node_event *e = world_wait(w, HOLDER, NODE_PEER_DOWN, 2 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_IO);
    mem_store_die_at(w->nodes[INVITER].store, 0);
    assert_true(stored(w, INVITER, &after));
    assert_memory_equal(&before.psk, &after.psk, sizeof before.psk);
    go_on(w, ticket);
    assert_paired(w, "after a full disk at the second time");
    world_free(w);
}

/* Nor does it end the session, if that was up before: a rekey with the ticket's secret. */
static void a_rekey_whose_pairing_cannot_be_stored_ends_nothing(void **state) {
    (void)state;
    struct world *w = world_new(2, 94);
    char ticket[TICKET_TEXT_MAX + 1];
    uint64_t id;
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    world_run(w, 50 * MS);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, ERR_IO);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    world_run(w, 125 * S);
    mem_store_die_at(w->nodes[INVITER].store, 1);
    assert_int_equal(node_ping(w->nodes[HOLDER].node, w->now_us, "anna", 5 * S, &id), 0);
    assert_non_null(world_wait(w, INVITER, NODE_PAIRING_FAILED, 10 * S));
    world_run(w, 5 * S);
    assert_int_equal(world_count(w, HOLDER, NODE_PONG), 1);
    assert_int_equal(world_count(w, HOLDER, NODE_PEER_DOWN), 0);
    assert_int_equal(world_count(w, INVITER, NODE_PEER_DOWN), 0);
    assert_true(contact(w, INVITER).paired && contact(w, INVITER).online);
    mem_store_die_at(w->nodes[INVITER].store, 0);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, 0);
    world_run(w, 61 * S);
    go_on(w, ticket);
    assert_paired(w, "after a full disk at a rekey");
    world_free(w);
}

/* The ticket's secret is what both have for sure until the barrier: word that another secret has
 * worked, which was under way then, does not end it. */
static void the_ticket_is_not_forgotten_before_the_barrier(void **state) {
    (void)state;
    static const struct psk none;
    struct world *w = world_new(2, 92);
    char ticket[TICKET_TEXT_MAX + 1];
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    world_run(w, 50 * MS);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, ERR_IO);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    world_run(w, 200 * MS);
    struct contact *c = contact_by_name(&w->nodes[HOLDER].node->contacts, "anna");
    assert_true(c && c->pairing && c->paired && !c->kept);
    pairing_proved(&w->nodes[HOLDER].node->pairing, c);
    assert_true(c->pairing);
    assert_memory_not_equal(&c->ticket, &none, sizeof none);
    store_mem_fail_sync(w->nodes[HOLDER].store, 0, 0);
    go_on(w, ticket);
    assert_paired(w, "after word came early");
    world_free(w);
}

/* The same contact once more, with another ticket: if that cannot be stored, nothing has
 * changed. */
static void a_ticket_added_again_that_cannot_be_stored_changes_nothing(void **state) {
    (void)state;
    struct world *w = world_new(2, 93);
    char ticket[TICKET_TEXT_MAX + 1];
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "bob", 86400, ticket), 0);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), 0);
    go_on(w, ticket);
    assert_paired(w, "at first");
    const struct contact *c = contact_by_name(&w->nodes[HOLDER].node->contacts, "anna");
    const struct contact before = *c;
    assert_false(before.pairing);
    assert_int_equal(node_ticket_new(w->nodes[INVITER].node, w->now_us, "more", 86400, ticket), 0);
    mem_store_die_at(w->nodes[HOLDER].store, 1);
    assert_int_equal(node_contact_add(w->nodes[HOLDER].node, w->now_us, "anna", ticket), ERR_IO);
    mem_store_die_at(w->nodes[HOLDER].store, 0);
    assert_false(c->pairing);
    assert_memory_equal(&c->ticket, &before.ticket, sizeof c->ticket);
    assert_memory_equal(c->addrs, before.addrs, sizeof c->addrs);
    assert_true(contact(w, HOLDER).paired && contact(w, HOLDER).online);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairing_survives_a_fault_at_any_write),
        cmocka_unit_test(nobody_relies_on_a_secret_that_a_power_cut_can_take),
        cmocka_unit_test(pairing_survives_random_deaths_on_a_bad_line),
        cmocka_unit_test(a_pairing_that_cannot_be_stored_is_undone_and_told),
        cmocka_unit_test(a_second_pairing_that_cannot_be_stored_leaves_the_first),
        cmocka_unit_test(a_rekey_whose_pairing_cannot_be_stored_ends_nothing),
        cmocka_unit_test(the_ticket_is_not_forgotten_before_the_barrier),
        cmocka_unit_test(a_ticket_added_again_that_cannot_be_stored_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
