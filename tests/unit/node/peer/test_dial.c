/* Contacts are dialled again, ever later, and not when nobody needs them; and whoever waits
 * for one that does not answer hears so in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/node_int.h"
#include "support_contacts.h"

enum { MS = 1000, S = 1000000, TOLD_US = 3 * S };

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
        assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_OFFLINE);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        world_run(w, 100 * S);
        move(w, 1);
        world_start(w, 1);
        world_run(w, S);
        assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
        assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_ONLINE);
        assert_int_equal(contact_seen(w, 0, "n1").queued, 0);
        world_free(w);
    }
}

/* Killed and started again, it takes the place of the session that the other side still believes
 * in. */
static void a_restart_is_noticed_at_once(void **state) {
    (void)state;
    struct world *w = paired(2);
    world_kill(w, 1);
    move(w, 1);
    world_start(w, 1);
    assert_non_null(world_wait(w, 0, NODE_PEER_DOWN, S));
    world_run(w, S);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
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
    assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_OFFLINE);
    world_start(w, 0);
    world_run(w, (uint64_t)DIAL_MAX_US / 4 * 5 + S);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_free(w);
}

static void a_lazy_node_dials_nobody(void **state) {
    (void)state;
    struct world *w = paired(4);
    world_kill(w, 1);
    w->nodes[1].cfg.lazy = true;
    world_start(w, 1);
    world_run(w, 600 * S);
    assert_int_equal(dials_of(w, 1), 0);
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
        const uint64_t sent = dials_of(w, 0) - before;
        before = dials_of(w, 0);
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
        assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
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
    assert_in_range(w->now_us - from_us, DIAL_PATIENCE_US, 2 * S);
    world_free(w);
}

static void an_idle_session_costs_nothing_and_is_no_loss(void **state) {
    (void)state;
    struct world *w = paired(8);
    const uint64_t before = packets_of(w, 0) + packets_of(w, 1);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_run(w, 560 * S);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_IDLE);
    assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_IDLE);
    assert_in_range(contact_seen(w, 0, "n1").quiet_us, 540 * S, 575 * S);
    world_run(w, 3600 * (uint64_t)S);
    assert_int_equal(packets_of(w, 0) + packets_of(w, 1), before);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_IDLE);
    uint64_t id;
    assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_PONG, S));
    assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_ONLINE);
    world_free(w);
}

static void who_does_not_let_us_in_is_dialled_rarely(void **state) {
    (void)state;
    struct world *w = paired(9);
    assert_int_equal(node_contact_remove(w->nodes[1].node, w->now_us, "n0"), 0);
    world_run(w, 60 * S);
    const uint64_t before = dials_of(w, 0);
    world_run(w, 4 * DIAL_REFUSED_S * (uint64_t)S);
    assert_in_range(dials_of(w, 0) - before, 3, 5 * 5);
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
        assert_int_equal(contact_seen(w, 0, "n1").state,
                         session ? CONTACT_SILENT : CONTACT_OFFLINE);
        assert_int_equal(node_message_send(w->nodes[0].node, w->now_us, "n1", "x", 1, &seq), 0);
        const uint64_t again = send_file(w, "/g", 1000); /* a moment later it is the same */
        assert_non_null(
            world_wait(w, 0, session ? NODE_PEER_SILENT : NODE_CONNECT_FAILED, TOLD_US));
        world_run(w, 100 * MS);
        assert_int_equal(failed_with(w, again), ERR_OFFLINE);
        assert_int_equal(contact_seen(w, 0, "n1").queued, 1);
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
        up += contact_seen(w, 0, "n1").online;
        world_run(w, 8 * S);
        assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
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

/* Who wants a session that is up asks whether it is: nobody who is there is called silent, and one
 * that is dead is noticed although nobody uses it. */
static void a_session_that_is_wanted_is_asked(void **state) {
    (void)state;
    struct world *w = paired(63);
    world_run(w, 60 * S);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, TOLD_US);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), 0);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_kill(w, 1);
    w->nodes[1].cfg.lazy = true;
    world_start(w, 1);
    world_run(w, S);
    assert_int_equal(node_connect(w->nodes[0].node, w->now_us, "n1"), 0);
    world_run(w, 20 * S);
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_ONLINE);
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
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    assert_int_equal(contact_seen(w, 1, "n0").state, CONTACT_ONLINE);
    world_free(w);
}

static void many_changes_count_once_a_second(void **state) {
    (void)state;
    struct world *w = paired(62);
    const uint64_t before = packets_of(w, 0);
    for (unsigned i = 0; i < 200; i++) {
        node_network_changed(w->nodes[0].node, w->now_us);
        world_run(w, 10 * MS);
    }
    assert_in_range(packets_of(w, 0) - before, 1, 12);
    world_free(w);
}

/* The answer has come: until the session grows old nobody has to be awake for it. */
static void an_echo_that_was_answered_wakes_nobody_up(void **state) {
    (void)state;
    struct world *w = paired(21);
    uint64_t id;
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
        assert_non_null(world_wait(w, 0, NODE_PONG, S));
        for (unsigned k = 0; k < 2; k++)
            assert_true(node_deadline_us(w->nodes[k].node) > w->now_us + 30 * S);
        world_run(w, 10 * S);
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
        cmocka_unit_test(who_hangs_up_each_time_is_dialled_ever_later),
        cmocka_unit_test(an_echo_that_was_answered_wakes_nobody_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
