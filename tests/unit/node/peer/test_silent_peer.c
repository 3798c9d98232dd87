/* A contact that dies in the middle of something is shown as silent within two seconds, by who
 * sends and by who receives, and online again with the first word; what was under way goes on.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/endpoint.h"
#include "node/node_int.h"
#include "support_contacts.h"

enum { MS = 1000, S = 1000000 };

static struct world *paired(uint64_t seed) {
    struct world *w = world_new(2, seed);
    world_pair(w, 0, 1);
    world_run(w, 12 * S); /* what pairing has left to say is said */
    return w;
}

/* Node 0 sends a file that takes long, since node 1's disk is slow. */
static void begin_transfer(struct world *w) {
    const char *path = "/f";
    uint64_t id, rule;
    w->disk_us = 50 * MS;
    disk_fill(w, 0, path, 48 << 20, 1);
    assert_int_equal(node_recv_start(w->nodes[1].node, w->now_us, "/in", NULL, true, &rule), 0);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    assert_non_null(world_wait(w, 1, NODE_TRANSFER_PROGRESS, 10 * S));
}

static void who_is_in_the_midst_of_a_transfer_hears_in_two_seconds(void **state) {
    (void)state;
    for (unsigned side = 0; side < 2; side++) { /* whose peer is gone for a while */
        struct world *w = paired(20 + side);
        const char *peer = side == 0 ? "n1" : "n0";
        begin_transfer(w);
        w->nodes[!side].unplugged = true;
        const uint64_t from_us = w->now_us;
        assert_non_null(world_wait(w, side, NODE_PEER_SILENT, 4 * S));
        assert_in_range(w->now_us - from_us, 1400 * MS, 2 * S);
        assert_int_equal(contact_seen(w, side, peer).state, CONTACT_SILENT);
        assert_true(contact_seen(w, side, peer).online);
        world_run(w, 6 * S);
        assert_int_equal(world_count(w, side, NODE_PEER_SILENT), 1);
        assert_int_equal(world_count(w, side, NODE_PEER_ANSWERS), 0);
        w->nodes[!side].unplugged = false;
        assert_non_null(world_wait(w, side, NODE_PEER_ANSWERS, 3 * S));
        assert_int_equal(contact_seen(w, side, peer).state, CONTACT_ONLINE);
        assert_non_null(world_wait(w, 1, NODE_TRANSFER_DONE, 120 * S));
        assert_int_equal(world_count(w, side, NODE_PEER_ANSWERS), 1);
        assert_int_equal(world_count(w, side, NODE_PEER_DOWN), 0);
        world_free(w);
    }
}

static void a_call_to_a_dead_contact_is_told_in_two_seconds(void **state) {
    (void)state;
    struct world *w = paired(22);
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(
            node_datagram_send(w->nodes[0].node, w->now_us, "n1", "x", 1, w->now_us + S), 0);
        world_run(w, 20 * MS);
    }
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    world_kill(w, 1);
    for (unsigned i = 0; i < 95; i++) {
        assert_int_equal(
            node_datagram_send(w->nodes[0].node, w->now_us, "n1", "x", 1, w->now_us + S), 0);
        world_run(w, 20 * MS);
    }
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_SILENT);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), 1);
    world_free(w);
}

/* What has just begun finds it out in its own time; who hears that, hears of the end of it, too. */
static void what_was_found_by_a_ping_is_taken_back(void **state) {
    (void)state;
    struct world *w = paired(23);
    uint64_t id;
    w->nodes[1].unplugged = true;
    assert_int_equal(node_ping(w->nodes[0].node, w->now_us, "n1", 0, &id), 0);
    assert_non_null(world_wait(w, 0, NODE_PEER_SILENT, 2 * S));
    world_run(w, 2 * S);
    w->nodes[1].unplugged = false;
    assert_non_null(world_wait(w, 0, NODE_PEER_ANSWERS, 3 * S));
    assert_int_equal(contact_seen(w, 0, "n1").state, CONTACT_ONLINE);
    assert_int_equal(world_count(w, 0, NODE_PEER_SILENT), 1);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_in_the_midst_of_a_transfer_hears_in_two_seconds),
        cmocka_unit_test(a_call_to_a_dead_contact_is_told_in_two_seconds),
        cmocka_unit_test(what_was_found_by_a_ping_is_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
