/* Nodes that reach nobody but a relay: they pair by ticket, send files and messages, and find each
 * other again when relays and nodes come and go. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "node/node_int.h"
#include "support_contacts.h"

enum { MS = 1000, S = 1000000 };

/* Nodes 0 to `relays` - 1 serve; the others use all of those, and know no address of each other. */
static struct relay_config configs[WORLD_NODES];

static void again(struct world *w, unsigned i) {
    world_kill(w, i);
    world_start(w, i);
}

static struct world *with_relays(unsigned relays, unsigned nodes, uint64_t seed) {
    struct world *w = world_new(relays + nodes, seed);
    w->hubs = relays;
    for (unsigned i = 0; i < w->count; i++) {
        struct relay_config *c = &configs[i];
        relay_config_init(c);
        c->serve = i < relays;
        for (unsigned r = 0; i >= relays && r < relays; r++)
            c->use[c->use_count++] = (struct relay_addr){.id = w->nodes[r].identity.id,
                                                         .at = w->nodes[r].addr,
                                                         .port = w->nodes[r].addr.port};
        w->nodes[i].cfg.relay = c;
        if (i >= relays)
            w->nodes[i].cfg.tell_count = 0;
    }
    for (unsigned i = 0; i < w->count; i++)
        again(w, i);
    return w;
}

static struct relay_info relay_seen(struct world *w, unsigned i, unsigned n) {
    struct relay_info info;
    assert_true(node_relay_at(w->nodes[i].node, n, &info));
    return info;
}

/* ---- being reachable ---- */

static void a_node_is_at_home_in_a_second(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 1);
    world_run(w, S);
    const struct relay_info info = relay_seen(w, 1, 0);
    assert_string_equal(info.state, "reserved");
    assert_true(info.home && info.named && info.reserved);
    assert_in_range(info.rtt_us, 2 * MS, 3 * MS);
    world_free(w);
}

static void two_homes_are_kept_of_many_relays(void **state) {
    (void)state;
    struct world *w = with_relays(3, 1, 2);
    world_run(w, 5 * S);
    assert_true(relay_seen(w, 3, 0).reserved && relay_seen(w, 3, 1).reserved);
    assert_false(relay_seen(w, 3, 2).home);
    world_free(w);
}

static uint64_t sent_bytes(struct world *w, unsigned i) {
    const struct endpoint_counters *k = node_counters(w->nodes[i].node);
    return k->bytes_out + 28 * k->pkts_out; /* with IPv4 and UDP */
}

/* What it sends, once it has learnt how rarely it may. */
static void two_homes_cost_less_than_five_bytes_a_second(void **state) {
    (void)state;
    struct world *w = with_relays(2, 1, 13);
    world_run(w, 600 * S);
    assert_true(relay_seen(w, 2, 0).reserved && relay_seen(w, 2, 1).reserved);
    assert_int_equal(relay_seen(w, 2, 0).keepalive_us, 110 * S);
    const uint64_t before = sent_bytes(w, 2);
    world_run(w, 3600 * (uint64_t)S);
    const uint64_t bytes = sent_bytes(w, 2) - before;
    print_message("%.2f bytes a second\n", (double)bytes / 3600);
    assert_true(bytes < 5 * 3600);
    assert_true(relay_seen(w, 2, 0).reserved && relay_seen(w, 2, 1).reserved);
    world_free(w);
}

/* ---- pairing ---- */

static void two_nodes_that_reach_only_a_relay_pair_by_ticket(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 10; seed++) {
        struct world *w = with_relays(1, 2, seed);
        world_run(w, S);
        world_pair(w, 1, 2);
        assert_int_equal(contact_seen(w, 1, "n2").reach.via, VIA_RELAY);
        assert_int_equal(contact_seen(w, 2, "n1").reach.via, VIA_RELAY);
        world_free(w);
    }
}

/* It has no relay in its settings: the ticket names one. */
static void a_ticket_is_enough_to_reach_its_giver_through_a_relay(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 3);
    configs[2].use_count = 0;
    again(w, 2);
    world_run(w, S);
    world_pair(w, 1, 2);
    assert_int_equal(contact_seen(w, 2, "n1").reach.via, VIA_RELAY);
    world_free(w);
}

/* ---- what passes ---- */

static void files_and_messages_go_through_a_relay(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 4);
    const char *path = "f";
    uint64_t id, seq;
    world_run(w, S);
    world_pair(w, 1, 2);
    w->nodes[2].cfg.accept = ACCEPT_CONTACTS;
    disk_fill(w, 1, path, 3 << 20, 1);
    assert_int_equal(node_send(w->nodes[1].node, w->now_us, "n2", &path, 1, 0, &id), 0);
    assert_int_equal(node_message_send(w->nodes[2].node, w->now_us, "n1", "x", 1, &seq), 0);
    assert_non_null(world_wait(w, 2, NODE_TRANSFER_OFFERED, 5 * S));
    struct transfer_info t;
    assert_true(node_transfer_at(w->nodes[2].node, 0, &t));
    assert_int_equal(node_accept(w->nodes[2].node, w->now_us, t.id, "in"), 0);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_DONE, 20 * S));
    assert_int_equal(world_count(w, 2, NODE_MESSAGE_DELIVERED), 1);
    assert_int_equal(w->direct, 0);
    world_free(w);
}

/* ---- coming back ---- */

static void who_comes_back_is_found_through_a_relay(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 5);
    world_run(w, S);
    world_pair(w, 1, 2);
    world_run(w, 12 * S);
    again(w, 1);
    again(w, 2);
    world_run(w, 5 * S);
    assert_int_equal(contact_seen(w, 1, "n2").state, CONTACT_ONLINE);
    assert_int_equal(contact_seen(w, 2, "n1").state, CONTACT_ONLINE);
    world_free(w);
}

static void a_relay_that_is_killed_and_started_again_is_used_again(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 6);
    uint64_t seq;
    world_run(w, S);
    world_pair(w, 1, 2);
    world_run(w, 12 * S);
    world_kill(w, 0);
    world_run(w, 5 * S);
    world_start(w, 0);
    assert_int_equal(node_message_send(w->nodes[1].node, w->now_us, "n2", "x", 1, &seq), 0);
    assert_non_null(world_wait(w, 1, NODE_MESSAGE_DELIVERED, 60 * S));
    world_free(w);
}

/* It says so before, and they are back as soon as it is. */
static void a_relay_that_restarts_in_good_order_is_missed_for_seconds(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 12);
    world_run(w, S);
    world_pair(w, 1, 2);
    world_run(w, 12 * S);
    node_shutdown(w->nodes[0].node, w->now_us);
    world_run(w, 10 * MS);
    assert_string_equal(relay_seen(w, 1, 0).state, "restarting");
    again(w, 0);
    world_run(w, 4 * S);
    assert_string_equal(relay_seen(w, 1, 0).state, "reserved");
    assert_string_equal(relay_seen(w, 2, 0).state, "reserved");
    world_free(w);
}

static void set_relay(struct world *w, unsigned i) {
    struct node_policy p;
    node_get_policy(w->nodes[i].node, &p);
    p.relay = &configs[i];
    node_set_policy(w->nodes[i].node, &p);
}

/* Limits and lists are others: what is still allowed goes on, who may stay no longer hears it. */
static void settings_read_again_end_nothing_that_is_allowed(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 14);
    struct node_status s;
    world_run(w, S);
    world_pair(w, 1, 2);
    configs[0].flows_per_node = 7;
    configs[0].allow.list[configs[0].allow.count++] = w->nodes[2].identity.id;
    set_relay(w, 0);
    world_run(w, 100 * MS);
    node_status(w->nodes[0].node, w->now_us, &s);
    assert_int_equal(s.relay.served.flows, 1);
    assert_int_equal(s.relay.served.reservations, 1);
    assert_string_equal(relay_seen(w, 2, 0).state, "reserved");
    assert_string_equal(relay_seen(w, 1, 0).state, "refused");
    assert_int_equal(contact_seen(w, 1, "n2").reach.via, VIA_RELAY);
    world_free(w);
}

/* Two relays, and data under way: the other one carries on. */
static void a_relay_that_dies_is_replaced_by_the_other(void **state) {
    (void)state;
    struct world *w = with_relays(2, 2, 7);
    uint64_t seq;
    world_run(w, 3 * S);
    world_pair(w, 2, 3);
    world_run(w, 12 * S);
    for (unsigned dead = 0; dead < 2; dead++) {
        world_kill(w, dead);
        assert_int_equal(node_message_send(w->nodes[2].node, w->now_us, "n3", "x", 1, &seq), 0);
        assert_non_null(world_wait(w, 2, NODE_MESSAGE_DELIVERED, 5 * S));
        world_start(w, dead);
        world_run(w, 30 * S);
    }
    world_free(w);
}

/* A standby through the other relay is kept while data flows. */
static void a_transfer_survives_the_death_of_its_relay(void **state) {
    (void)state;
    for (uint64_t seed = 20; seed < 24; seed++) {
        struct world *w = with_relays(2, 2, seed);
        const char *path = "f";
        struct transfer_info t;
        uint64_t id, longest_us = 0, since_us = 0, had = 0;
        w->nodes[3].cfg.accept = ACCEPT_CONTACTS;
        again(w, 3);
        w->delay_us = 10 * MS;
        world_run(w, 3 * S);
        world_pair(w, 2, 3);
        disk_fill(w, 2, path, 32 << 20, 1);
        assert_int_equal(node_send(w->nodes[2].node, w->now_us, "n3", &path, 1, 0, &id), 0);
        world_run(w, 2500 * MS);
        const struct node_id by = contact_seen(w, 2, "n3").reach.paths[0].relay;
        world_kill(w, node_id_equal(&by, &w->nodes[0].identity.id) ? 0 : 1);
        since_us = w->now_us;
        assert_true(node_transfer_at(w->nodes[3].node, 0, &t) && t.state == TRANSFER_RUNNING);
        while (node_transfer_at(w->nodes[3].node, 0, &t) && t.state != TRANSFER_DONE &&
               w->now_us < 60 * (uint64_t)S) {
            world_run(w, 50 * MS);
            if (t.bytes_done > had) {
                had = t.bytes_done;
                since_us = w->now_us;
            }
            longest_us = w->now_us - since_us > longest_us ? w->now_us - since_us : longest_us;
        }
        print_message("longest gap %u ms\n", (unsigned)(longest_us / 1000));
        assert_int_equal(t.state, TRANSFER_DONE);
        assert_true(longest_us <= S);
        world_free(w);
    }
}

/* ---- keys ---- */

static void another_node_at_a_relays_address_is_found_out(void **state) {
    (void)state;
    struct world *w = with_relays(2, 1, 8);
    configs[2].use_count = 1;
    configs[2].use[0].at = w->nodes[1].addr;
    configs[2].use[0].port = w->nodes[1].addr.port;
    again(w, 2);
    const struct node_event *e = world_wait(w, 2, NODE_RELAY, S);
    char expected[NODE_ID_TEXT_CHARS + 1], found[NODE_ID_TEXT_CHARS + 1];
    assert_non_null(e);
    assert_int_equal(e->relay, RELAY_NEWS_WRONG_KEY);
    node_id_text(&w->nodes[0].identity.id, expected);
    node_id_text(&w->nodes[1].identity.id, found);
    assert_non_null(strstr(e->detail, expected));
    assert_non_null(strstr(e->detail, found));
    const struct relay_info info = relay_seen(w, 2, 0);
    assert_string_equal(info.state, "wrong_key");
    assert_memory_equal(&info.wrong, &w->nodes[1].identity.id, sizeof info.wrong);
    world_run(w, 600 * S); /* and is told once */
    assert_int_equal(world_count(w, 2, NODE_RELAY), 1);
    world_free(w);
}

static void a_relays_key_is_asked_for_once_and_kept(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 9);
    world_run(w, S);
    assert_int_equal(store_count(w, 1, "relays"), 1);
    again(w, 1);
    assert_string_equal(relay_seen(w, 1, 0).state, "unknown");
    world_run(w, 3 * MS); /* a handshake's round trip, and no question before it */
    assert_string_equal(relay_seen(w, 1, 0).state, "up");
    world_free(w);
}

/* ---- who comes ---- */

/* Its ticket was taken back: nothing is forwarded between the two. */
static void who_is_no_contact_is_refused(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 11);
    char ticket[TICKET_TEXT_MAX + 1];
    world_run(w, S);
    assert_int_equal(node_ticket_new(w->nodes[1].node, w->now_us, "n2", 3600, ticket), 0);
    assert_int_equal(node_ticket_end(w->nodes[1].node, w->now_us, ticket), 0);
    assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "n1", ticket), 0);
    world_run(w, 20 * S);
    struct node_status s;
    node_status(w->nodes[1].node, w->now_us, &s);
    assert_int_equal(s.relay.ways_in, 0);
    node_status(w->nodes[2].node, w->now_us, &s);
    assert_int_equal(s.relay.ways_opened, 0);
    assert_true(s.relay.ways_failed > 0);
    assert_string_equal(contact_seen(w, 2, "n1").reach.why,
                        "its relay, or it, does not let this node in");
    world_free(w);
}

/* ---- policies ---- */

static void a_contact_of_direct_only_is_not_reached_through_a_relay(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 10);
    world_run(w, S);
    world_pair(w, 1, 2);
    world_run(w, 12 * S);
    for (unsigned i = 1; i < 3; i++)
        assert_int_equal(node_contact_path(w->nodes[i].node, w->now_us, i == 1 ? "n2" : "n1",
                                           CONTACT_PATH_DIRECT_ONLY),
                         0);
    again(w, 1);
    again(w, 2);
    world_run(w, 20 * S);
    assert_int_not_equal(contact_seen(w, 1, "n2").state, CONTACT_ONLINE);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_is_at_home_in_a_second),
        cmocka_unit_test(two_homes_are_kept_of_many_relays),
        cmocka_unit_test(two_homes_cost_less_than_five_bytes_a_second),
        cmocka_unit_test(two_nodes_that_reach_only_a_relay_pair_by_ticket),
        cmocka_unit_test(a_ticket_is_enough_to_reach_its_giver_through_a_relay),
        cmocka_unit_test(files_and_messages_go_through_a_relay),
        cmocka_unit_test(who_comes_back_is_found_through_a_relay),
        cmocka_unit_test(a_relay_that_is_killed_and_started_again_is_used_again),
        cmocka_unit_test(settings_read_again_end_nothing_that_is_allowed),
        cmocka_unit_test(a_relay_that_restarts_in_good_order_is_missed_for_seconds),
        cmocka_unit_test(a_relay_that_dies_is_replaced_by_the_other),
        cmocka_unit_test(a_transfer_survives_the_death_of_its_relay),
        cmocka_unit_test(another_node_at_a_relays_address_is_found_out),
        cmocka_unit_test(a_relays_key_is_asked_for_once_and_kept),
        cmocka_unit_test(who_is_no_contact_is_refused),
        cmocka_unit_test(a_contact_of_direct_only_is_not_reached_through_a_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
