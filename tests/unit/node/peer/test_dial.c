/* Contacts are dialled again, at a rate, ever later, and not when nobody needs them; and whoever waits
 * for one that does not answer hears so in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "node/node_int.h"
#include "support_world.h"

enum { MS = 1000, S = 1000000, TOLD_US = 3 * S, MANY_AWAY = 2000 };

static struct contact_info seen(struct world *w, unsigned by, const char *name) {
    struct contact_info c;
    assert_true(node_contact_get(w->nodes[by].node, w->now_us, name, &c));
    return c;
}

static uint64_t dials(struct world *w, unsigned i) {
    return endpoint_counters(world_endpoint(w->nodes[i].node))->handshakes_out;
}

static uint64_t packets(struct world *w, unsigned i) {
    return endpoint_counters(world_endpoint(w->nodes[i].node))->pkts_out;
}

static struct world *paired(uint64_t seed) {
    struct world *w = world_new(2, seed);
    world_pair(w, 0, 1);
    world_run(w, 12 * S); /* what pairing has left to say is said */
    return w;
}

static void move(struct world *w, unsigned i) {
    w->nodes[i].addr.port++;
}

static uint64_t send_file(struct world *w, const char *path, size_t bytes) {
    uint64_t id;
    disk_fill(w, 0, path, bytes, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    return id;
}

static int failed_with(struct world *w, uint64_t id) {
    struct transfer_info t;
    assert_true(node_transfer_get(w->nodes[0].node, id, &t));
    return t.state == TRANSFER_FAILED ? t.err : 0;
}

/* ---- coming back ---- */

static void who_comes_back_dials_its_contacts(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *w = paired(seed);
        uint64_t seq;
        node_shutdown(w->nodes[1].node, w->now_us);
        world_run(w, S);
        world_kill(w, 1);
        assert_int_equal(seen(w, 0, "n1").state, CONTACT_OFFLINE);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        world_run(w, 100 * S);
        move(w, 1);
        world_start(w, 1);
        world_run(w, S);
        assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
        assert_int_equal(seen(w, 1, "n0").state, CONTACT_ONLINE);
        assert_int_equal(seen(w, 0, "n1").queued, 0);
        world_free(w);
    }
}

/* Killed and started again, it takes the place of the session that the other side still believes in. */
static void a_restart_is_noticed_at_once(void **state) {
    (void)state;
    struct world *w = paired(2);
    world_kill(w, 1);
    move(w, 1);
    world_start(w, 1);
    assert_non_null(world_wait(w, 0, NODE_PEER_DOWN, S));
    world_run(w, S);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_free(w);
}

static void who_was_away_longer_finds_the_other(void **state) {
    (void)state;
    struct world *w = paired(3);
    world_kill(w, 0);
    world_kill(w, 1);
    move(w, 1);
    world_start(w, 1);
    world_run(w, 3600 * (uint64_t)S);
    assert_int_equal(seen(w, 1, "n0").state, CONTACT_OFFLINE);
    world_start(w, 0);
    world_run(w, (uint64_t)DIAL_MAX_US / 4 * 5 + S);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_free(w);
}

static void a_lazy_node_dials_nobody(void **state) {
    (void)state;
    struct world *w = paired(4);
    world_kill(w, 1);
    w->nodes[1].cfg.lazy = true;
    world_start(w, 1);
    world_run(w, 600 * S);
    assert_int_equal(dials(w, 1), 0);
    world_free(w);
}

/* ---- what it costs ---- */

static void who_is_away_is_dialled_ever_later(void **state) {
    (void)state;
    struct world *w = paired(5);
    world_kill(w, 1);
    world_kill(w, 0);
    world_start(w, 0);
    uint64_t before = 0, most = 0;
    for (unsigned minute = 0; minute < 60; minute++) {
        world_run(w, 60 * S);
        const uint64_t sent = dials(w, 0) - before;
        before = dials(w, 0);
        if (minute >= 20 && sent > most)
            most = sent;
        if (minute == 0)
            assert_in_range(sent, 3 * 5, 5 * 5); /* 2, 4, 8... s apart, each in five packets */
    }
    assert_int_equal(most, 5);
    assert_in_range(before, 14 * 5, 24 * 5);
    assert_int_equal(world_count(w, 0, NODE_CONNECT_FAILED), 0); /* nobody waits for it */
    world_free(w);
}

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

static struct dialling *plan_of(struct world *w, unsigned i, const char *name) {
    return &contact_by_name(&w->nodes[i].node->contacts, name)->peering->dial;
}

/* After a session, and in another network, it begins with short pauses; and no two keep time. */
static void what_has_changed_makes_the_pauses_short(void **state) {
    (void)state;
    uint64_t first_us = 0, last_us = 0;
    for (uint64_t seed = 70; seed < 78; seed++) {
        struct world *w = paired(seed);
        node_shutdown(w->nodes[1].node, w->now_us);
        world_run(w, 200 * MS);
        world_kill(w, 1);
        const struct dialling *d = plan_of(w, 0, "n1");
        assert_in_range(d->next_us, w->now_us, w->now_us + DIAL_FIRST_US / 4 * 5);
        const uint64_t pause_us = d->next_us - w->now_us;
        first_us = seed == 70 || pause_us < first_us ? pause_us : first_us;
        last_us = pause_us > last_us ? pause_us : last_us;
        world_run(w, 3600 * (uint64_t)S);
        assert_int_equal(plan_of(w, 0, "n1")->step_us, DIAL_MAX_US);
        node_network_changed(w->nodes[0].node, w->now_us);
        world_run(w, 30 * S);
        assert_in_range(plan_of(w, 0, "n1")->step_us, DIAL_FIRST_US, 8 * DIAL_FIRST_US);
        world_run(w, 3600 * (uint64_t)S);
        world_start(w, 1);
        world_run(w, S);
        assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
        world_run(w, DIAL_HELD_US);
        node_shutdown(w->nodes[1].node, w->now_us);
        world_run(w, 200 * MS);
        assert_in_range(plan_of(w, 0, "n1")->next_us, w->now_us, w->now_us + DIAL_FIRST_US / 4 * 5);
        world_free(w);
    }
    assert_true(last_us - first_us > DIAL_FIRST_US / 8);
}

/* The other side ends a session that it does not need; here something waits. */
static void what_waits_is_dialled_for_after_an_idle_end(void **state) {
    (void)state;
    struct world *w = paired(79);
    uint64_t seq;
    w->nodes[1].unplugged = true;
    assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
    world_run(w, 100 * S);
    struct contact *c = contact_by_name(&w->nodes[0].node->contacts, "n1");
    assert_false(c->peering->online);
    dial_down(&w->nodes[0].node->dials, c->peering, 0);
    assert_false(c->peering->dial.idle);
    assert_true(c->peering->dial.next_us > 0);
    world_free(w);
}

/* What was answered gives no time to what begins after it; and nothing is left to wake up for. */
static void what_begins_after_an_answer_has_its_own_time(void **state) {
    (void)state;
    struct world *w = paired(80);
    struct node *n = w->nodes[0].node;
    uint64_t id;
    world_run(w, 5 * S);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(node_ping(n, w->now_us, "n1", 0, &id), 0);
        assert_non_null(world_wait(w, 0, NODE_PONG, S));
        assert_int_equal(plan_of(w, 0, "n1")->verdict_us, 0);
    }
    world_run(w, S);
    w->nodes[1].unplugged = true;
    const uint64_t from_us = w->now_us;
    assert_int_equal(node_ping(n, w->now_us, "n1", 0, &id), 0);
    const struct node_event *e = world_wait(w, 0, NODE_PING_FAILED, 5 * S);
    assert_non_null(e);
    assert_int_equal(e->err, ERR_OFFLINE);
    assert_in_range(w->now_us - from_us, 2 * S, 3 * S);
    world_free(w);
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
        const uint64_t sent = dials(w, 0) - before;
        before = dials(w, 0);
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
    const uint64_t before = dials(w, 0);
    world_run(w, 60 * S);
    assert_in_range(dials(w, 0) - before, 60 * 90,
                    60 * 101); /* 300 s for each would be 33 a second */
    world_free(w);
}

static void an_idle_session_costs_nothing_and_is_no_loss(void **state) {
    (void)state;
    struct world *w = paired(8);
    const uint64_t before = packets(w, 0) + packets(w, 1);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_run(w, 560 * S);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_IDLE);
    assert_int_equal(seen(w, 1, "n0").state, CONTACT_IDLE);
    assert_in_range(seen(w, 0, "n1").quiet_us, 540 * S, 575 * S);
    world_run(w, 3600 * (uint64_t)S);
    assert_int_equal(packets(w, 0) + packets(w, 1), before);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_IDLE);
    uint64_t id;
    assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_PONG, S));
    assert_int_equal(seen(w, 1, "n0").state, CONTACT_ONLINE);
    world_free(w);
}

static void who_does_not_let_us_in_is_dialled_rarely(void **state) {
    (void)state;
    struct world *w = paired(9);
    assert_int_equal(node_contact_remove(w->nodes[1].node, w->now_us, "n0"), 0);
    world_run(w, 60 * S);
    const uint64_t before = dials(w, 0);
    world_run(w, 4 * DIAL_REFUSED_S * (uint64_t)S);
    assert_in_range(dials(w, 0) - before, 3, 5 * 5);
    world_free(w);
}

/* ---- who waits hears ---- */

static void a_dead_peer_is_told_in_three_seconds(void **state) {
    (void)state;
    for (unsigned session = 0; session < 2; session++) {
        struct world *w = paired(10 + session);
        uint64_t id, seq;
        world_kill(w, 1);
        if (!session) {
            world_kill(w, 0);
            world_start(w, 0);
            world_run(w, 60 * S);
        }
        const uint64_t file = send_file(w, "/f", 1000);
        assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
        world_run(w, TOLD_US);
        assert_int_equal(failed_with(w, file), ERR_OFFLINE);
        struct node_event *e = world_wait(w, 0, NODE_PING_FAILED, 0);
        assert_true(e && e->err == ERR_OFFLINE);
        assert_int_equal(seen(w, 0, "n1").state, session ? CONTACT_SILENT : CONTACT_OFFLINE);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        const uint64_t again = send_file(w, "/g", 1000); /* a moment later it is the same */
        assert_non_null(
            world_wait(w, 0, session ? NODE_PEER_SILENT : NODE_CONNECT_FAILED, TOLD_US));
        world_run(w, 100 * MS);
        assert_int_equal(failed_with(w, again), ERR_OFFLINE);
        assert_int_equal(seen(w, 0, "n1").queued, 1);
        world_free(w);
    }
}

/* What begins a little later than another has its own time, and is told no later. */
static void each_is_told_in_its_own_time(void **state) {
    (void)state;
    struct world *w = paired(12);
    world_kill(w, 1);
    const uint64_t first = send_file(w, "/f", 1000);
    world_run(w, 1500 * MS);
    const uint64_t second = send_file(w, "/g", 1000);
    world_run(w, 1400 * MS);
    assert_int_equal(failed_with(w, first), ERR_OFFLINE);
    assert_int_equal(failed_with(w, second), 0);
    world_run(w, 1500 * MS);
    assert_int_equal(failed_with(w, second), ERR_OFFLINE);
    world_free(w);
}

static void an_outage_ends_what_begins_and_nothing_that_runs(void **state) {
    (void)state;
    for (uint64_t seed = 13; seed < 18; seed++) {
        struct world *w = paired(seed);
        w->nodes[1].cfg.accept = ACCEPT_CONTACTS;
        world_kill(w, 1);
        world_start(w, 1);
        world_run(w, S);
        w->delay_us = 20 * MS;
        const uint64_t file = send_file(w, "/f", 40 << 20);
        assert_non_null(world_wait(w, 0, NODE_TRANSFER_STARTED, 5 * S));
        world_run(w, 50 * MS);
        w->nodes[0].unplugged = true;
        world_run(w, 5 * S);
        const uint64_t late = send_file(w, "/g", 1000);
        world_run(w, TOLD_US);
        assert_int_equal(failed_with(w, late), ERR_OFFLINE);
        world_run(w, 12 * S - 5 * S - TOLD_US);
        w->nodes[0].unplugged = false;
        const struct node_event *e = world_wait(w, 0, NODE_TRANSFER_DONE, 60 * S);
        assert_true(e && e->id == file);
        assert_int_equal(world_count(w, 0, NODE_PEER_DOWN), 1); /* the restart above */
        world_free(w);
    }
}

static void a_slow_and_lossy_path_connects(void **state) {
    (void)state;
    unsigned up = 0;
    for (uint64_t seed = 20; seed < 60; seed++) {
        struct world *w = paired(seed);
        uint64_t id;
        node_shutdown(w->nodes[1].node, w->now_us);
        world_run(w, S);
        world_kill(w, 1);
        w->nodes[1].cfg.lazy = true;
        world_start(w, 1);
        w->delay_us = 300 * MS;
        w->loss_percent = 10;
        assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
        world_run(w, DIAL_PATIENCE_US);
        up += seen(w, 0, "n1").online;
        world_run(w, 8 * S);
        assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
        world_free(w);
    }
    assert_true(up >= 39); /* of 40 */
}

static void who_says_how_long_it_waits_is_waited_for(void **state) {
    (void)state;
    struct world *w = paired(60);
    uint64_t id;
    world_kill(w, 1);
    world_kill(w, 0);
    world_start(w, 0);
    world_run(w, 20 * S);
    assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 60 * S, &id), 0);
    world_run(w, 30 * S);
    assert_int_equal(world_count(w, 0, NODE_PING_FAILED), 0);
    world_start(w, 1);
    assert_non_null(world_wait(w, 0, NODE_PONG, S));
    world_free(w);
}

/* Four round trips, where those are long; but nobody is kept waiting for more than ten seconds. */
static void a_long_path_is_given_its_time(void **state) {
    (void)state;
    struct world *w = paired(64);
    uint64_t seq;
    w->delay_us = 1500 * MS;
    for (unsigned i = 0; i < 40; i++) {
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        world_run(w, 10 * S);
    }
    const unsigned told = world_count(w, 0, NODE_PEER_SILENT);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, 11 * S);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), told);
    w->nodes[1].unplugged = true;
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, DIAL_PATIENCE_US + S);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), told);
    world_run(w, DIAL_PATIENCE_MAX_US - DIAL_PATIENCE_US);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), told + 1);
    world_free(w);
}

/* Who wants a session that is up asks whether it is: nobody who is there is called silent, and one that is dead is noticed
 * although nobody uses it. */
static void a_session_that_is_wanted_is_asked(void **state) {
    (void)state;
    struct world *w = paired(63);
    world_run(w, 60 * S);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, TOLD_US);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), 0);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_kill(w, 1);
    w->nodes[1].cfg.lazy = true;
    world_start(w, 1);
    world_run(w, S);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, 20 * S);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    assert_int_equal(seen(w, 1, "n0").state, CONTACT_ONLINE);
    world_free(w);
}

/* ---- another network ---- */

static void a_change_of_network_is_told(void **state) {
    (void)state;
    struct world *w = paired(61);
    world_run(w, 60 * S);
    move(w, 1);
    node_network_changed(w->nodes[1].node, w->now_us);
    assert_non_null(world_wait(w, 0, NODE_PATH_CHANGED, S));
    world_run(w, 5 * S);
    assert_int_equal(world_count(w, 0, NODE_PEER_DOWN) + world_count(w, 1, NODE_PEER_DOWN), 0);
    /* Also where the other side had only an idle session left. */
    world_run(w, 700 * S);
    move(w, 1);
    node_network_changed(w->nodes[1].node, w->now_us);
    assert_non_null(world_wait(w, 0, NODE_PEER_UP, S));
    /* Or the own one was lost while the machine slept. */
    world_kill(w, 0);
    world_start(w, 0);
    w->nodes[1].unplugged = true;
    world_run(w, 30 * S);
    w->nodes[1].unplugged = false;
    move(w, 1);
    node_network_changed(w->nodes[1].node, w->now_us);
    world_run(w, 3 * S);
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
    assert_int_equal(seen(w, 1, "n0").state, CONTACT_ONLINE);
    world_free(w);
}

static void many_changes_count_once_a_second(void **state) {
    (void)state;
    struct world *w = paired(62);
    const uint64_t before = packets(w, 0);
    for (unsigned i = 0; i < 200; i++) {
        node_network_changed(w->nodes[0].node, w->now_us);
        world_run(w, 10 * MS);
    }
    assert_in_range(packets(w, 0) - before, 1, 12);
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

/* A message that the other side has no room for yet is sent again after 5 s, whoever else is to be dialled by then. */
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
    assert_int_equal(seen(w, 0, "n1").refused, ERR_FULL);
    node_set_policy(w->nodes[1].node, &was);
    world_run(w, 6 * S);
    assert_int_equal(seen(w, 0, "n1").queued, 0);
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
    assert_int_equal(seen(w, 0, "n1").state, CONTACT_ONLINE);
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
        assert_int_not_equal(seen(w, 0, name).state, CONTACT_CONNECTING);
    }
    world_free(w);
}

/* It takes every call, and ends the session at once: that is no success. */
static void who_hangs_up_each_time_is_dialled_ever_later(void **state) {
    (void)state;
    struct world *w = paired(74);
    w->nodes[1].cfg.lazy = true;
    for (unsigned i = 0; i < 2; i++) {
        world_kill(w, i);
        world_start(w, i);
    }
    unsigned hung_up = 0;
    for (unsigned i = 0; i < 36000; i++) {
        const struct contact *c = contact_by_name(&w->nodes[1].node->contacts, "n0");
        if (c->peering->online) {
            endpoint_disconnect(world_endpoint(w->nodes[1].node), w->now_us, c->peering->session,
                                ERR_CLOSED);
            hung_up++;
        }
        world_run(w, 100 * MS);
    }
    assert_in_range(hung_up, 14, 24); /* as who_is_away_is_dialled_ever_later */
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
        assert_int_not_equal(seen(w, 0, name).state, CONTACT_CONNECTING);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_comes_back_dials_its_contacts),
        cmocka_unit_test(a_restart_is_noticed_at_once),
        cmocka_unit_test(who_was_away_longer_finds_the_other),
        cmocka_unit_test(a_lazy_node_dials_nobody),
        cmocka_unit_test(who_is_away_is_dialled_ever_later),
        cmocka_unit_test(what_has_changed_makes_the_pauses_short),
        cmocka_unit_test(what_waits_is_dialled_for_after_an_idle_end),
        cmocka_unit_test(what_begins_after_an_answer_has_its_own_time),
        cmocka_unit_test(a_start_with_many_contacts_is_spread),
        cmocka_unit_test(the_rate_is_for_all_that_are_away),
        cmocka_unit_test(an_idle_session_costs_nothing_and_is_no_loss),
        cmocka_unit_test(who_does_not_let_us_in_is_dialled_rarely),
        cmocka_unit_test(a_dead_peer_is_told_in_three_seconds),
        cmocka_unit_test(each_is_told_in_its_own_time),
        cmocka_unit_test(an_outage_ends_what_begins_and_nothing_that_runs),
        cmocka_unit_test(a_slow_and_lossy_path_connects),
        cmocka_unit_test(who_says_how_long_it_waits_is_waited_for),
        cmocka_unit_test(a_long_path_is_given_its_time),
        cmocka_unit_test(a_session_that_is_wanted_is_asked),
        cmocka_unit_test(a_change_of_network_is_told),
        cmocka_unit_test(many_changes_count_once_a_second),
        cmocka_unit_test(a_message_that_is_held_does_not_wait_for_those_who_are_away),
        cmocka_unit_test(who_was_lost_is_dialled_before_those_who_are_away),
        cmocka_unit_test(changes_without_end_put_nobody_off),
        cmocka_unit_test(who_comes_and_goes_puts_nobody_off),
        cmocka_unit_test(who_hangs_up_each_time_is_dialled_ever_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
