/* Relays and contacts that mean harm, and who is let down by them: not the others, and not for
 * long. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "net/endpoint_int.h"
#include "node/mesh/told.h"
#include "node/node_int.h"
#include "node/people/ticket.h"
#include "support_contacts.h"

enum { MS = 1000, S = 1000000 };

static struct relay_config configs[WORLD_NODES];

static void again(struct world *w, unsigned i) {
    world_kill(w, i);
    world_start(w, i);
}

static struct relay_addr relay_at(const struct world *w, unsigned i) {
    return (struct relay_addr){
        .id = w->nodes[i].identity.id, .at = w->nodes[i].addr, .port = w->nodes[i].addr.port};
}

/* Nodes 0 to `relays` - 1 serve; the others use all of those, and know no address of each other. */
static struct world *with_relays(unsigned relays, unsigned nodes, uint64_t seed) {
    struct world *w = world_new(relays + nodes, seed);
    w->hubs = relays;
    for (unsigned i = 0; i < w->count; i++) {
        struct relay_config *c = &configs[i];
        relay_config_init(c);
        c->serve = i < relays;
        for (unsigned r = 0; i >= relays && r < relays; r++)
            c->use[c->use_count++] = relay_at(w, r);
        w->nodes[i].cfg.relay = c;
        if (i >= relays)
            w->nodes[i].cfg.tell_count = 0;
    }
    for (unsigned i = 0; i < w->count; i++)
        again(w, i);
    return w;
}

/* Node i says this record in its session with node `to`, whether that has asked for it or not. */
static void say(struct world *w, unsigned i, unsigned to, const void *data, size_t len) {
    struct endpoint *ep = w->nodes[i].node->turn.ep;
    const struct peer *p = peers_by_id(&ep->peers, &w->nodes[to].identity.id);
    assert_non_null(p);
    assert_non_null(p->session);
    const int err = session_record(ep, w->now_us, session_ref_of(p->session), data, len);
    (void)err; /* no room for it: lost */
}

static void say_relay(struct world *w, unsigned i, unsigned to, const struct relay_msg *m) {
    uint8_t msg[RELAY_MSG_MAX_BYTES];
    const size_t len = relay_msg_write(m, msg);
    say(w, i, to, msg, len);
}

static bool online(struct world *w, unsigned i, const char *name) {
    return contact_seen(w, i, name).state == CONTACT_ONLINE;
}

static bool meet(struct world *w, unsigned a, const char *b, uint64_t within_us) {
    const uint64_t until_us = w->now_us + within_us;
    while (w->now_us < until_us && !online(w, a, b))
        world_run(w, 100 * MS);
    return online(w, a, b);
}

/* ---- relays ---- */

/* It opens flows, and nothing comes through: the other one is tried. */
static void a_relay_that_forwards_nothing_keeps_nobody_apart(void **state) {
    (void)state;
    for (unsigned bad = 0; bad < 2; bad++) {
        struct world *w = with_relays(2, 2, 30 + bad);
        world_run(w, 3 * S);
        world_pair(w, 2, 3);
        world_run(w, 12 * S);
        w->nodes[bad].black_hole = true;
        again(w, 2);
        again(w, 3);
        const uint64_t from_us = w->now_us;
        assert_true(meet(w, 2, "n3", 20 * S));
        print_message("after %u ms\n", (unsigned)((w->now_us - from_us) / 1000));
        world_free(w);
    }
}

/* It says that a contact wants a flow, which does not; and drops what comes by it. */
static void a_relay_that_invents_callers_keeps_nobody_apart(void **state) {
    (void)state;
    for (unsigned bad = 0; bad < 2; bad++) {
        struct world *w = with_relays(2, 2, 40 + bad);
        world_run(w, 3 * S);
        world_pair(w, 2, 3);
        world_run(w, 12 * S);
        w->nodes[bad].black_hole = true;
        w->nodes[3].unplugged = true;
        again(w, 2);
        again(w, 3);
        world_run(w, 3 * S);
        for (uint32_t n = 1; n <= 8; n++) {
            say_relay(w, bad, 2,
                      &(struct relay_msg){.op = RELAY_INCOMING,
                                          .flow = n,
                                          .lifetime_s = UINT16_MAX,
                                          .peer = w->nodes[3].identity.id});
            world_run(w, 100 * MS);
        }
        w->nodes[3].unplugged = false;
        const uint64_t from_us = w->now_us;
        assert_true(meet(w, 2, "n3", 30 * S));
        print_message("after %u ms\n", (unsigned)((w->now_us - from_us) / 1000));
        world_free(w);
    }
}

/* What it says over and over again is told, and logged, once in a while. */
static void a_relay_that_restarts_without_end_is_not_told_of_without_end(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 50);
    world_run(w, 3 * S);
    const unsigned before = world_count(w, 1, NODE_RELAY);
    for (unsigned n = 0; n < 600; n++) {
        say_relay(w, 0, 1, &(struct relay_msg){.op = RELAY_RESTARTING, .in_ms = 100000 + n});
        world_run(w, 50 * MS);
    }
    print_message("%u events\n", world_count(w, 1, NODE_RELAY) - before);
    assert_true(world_count(w, 1, NODE_RELAY) - before <= 10);
    world_free(w);
}

/* It ends each session that it has made: it is dialled at once, and then ever more seldom. */
static void a_relay_that_hangs_up_is_not_dialled_without_end(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 51);
    world_run(w, 3 * S);
    const uint64_t dials = dials_of(w, 1);
    const unsigned told = world_count(w, 1, NODE_RELAY);
    struct endpoint *ep = w->nodes[0].node->turn.ep;
    for (unsigned n = 0; n < 60 * 100; n++) {
        const struct peer *p = peers_by_id(&ep->peers, &w->nodes[1].identity.id);
        if (p && p->session)
            endpoint_disconnect(ep, w->now_us, session_ref_of(p->session), ERR_CLOSED);
        world_run(w, 10 * MS);
    }
    print_message("%u dials, %u events\n", (unsigned)(dials_of(w, 1) - dials),
                  world_count(w, 1, NODE_RELAY) - told);
    assert_true(dials_of(w, 1) - dials <= 10);
    assert_true(world_count(w, 1, NODE_RELAY) - told <= 20);
    world_run(w, 60 * S);
    struct relay_info info;
    assert_true(node_relay_at(w->nodes[1].node, 0, &info) && info.reserved);
    world_free(w);
}

/* The nearest relays are chosen. One that answers echoes before it can have heard of them, by
 * numbers that follow from those before, is no nearer for it. */
static void a_relay_cannot_answer_before_it_was_asked(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 52);
    w->delay_us = 50 * MS;
    world_run(w, 3 * S);
    struct endpoint *ep = w->nodes[0].node->turn.ep;
    struct relay_info info;
    for (unsigned n = 0; n < 400 * 100; n++) {
        const struct peer *p = peers_by_id(&ep->peers, &w->nodes[1].identity.id);
        uint8_t frame[9] = {FRAME_ECHOED};
        store_le64(frame + 1, UINT64_C(1) << 63 | UINT64_C(1) << 8);
        assert_true(p && p->session);
        endpoint_send_frames(ep, p->session, w->now_us, frame, sizeof frame);
        world_run(w, 10 * MS);
        assert_true(node_relay_at(w->nodes[1].node, 0, &info));
        assert_true(info.rtt_us >= 100 * MS);
    }
    world_free(w);
}

/* Who sees the question for a relay's key, and is the first to answer it in the relay's name with a
 * key of its own: the right answer, which comes after it, counts all the same. */
static void an_answer_that_comes_first_does_not_keep_the_relay_out(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 53);
    w->nodes[2].unplugged = true;
    w->delay_us = 20 * MS;
    struct node *n = w->nodes[1].node;
    const struct relay *r = n->mesh.links.book.list[0];
    unsigned forged = 0;
    for (unsigned i = 0; i < 3000; i++) {
        if (r->asking && w->between[1][0] > 0 && forged == 0) {
            const struct endpoint *liar = w->nodes[2].node->turn.ep;
            struct key_told t = {.transport = liar->identity.transport_public, .cert = liar->cert};
            uint8_t msg[KEY_TOLD_BYTES];
            const struct hop from = hop_udp(&w->nodes[0].addr, 0);
            store_le64(t.nonce, r->nonce);
            key_told_write(&t, msg);
            const struct train_in one = train_in_of_one(&from, 0, msg, sizeof msg);
            node_input(n, w->now_us, &one);
            forged++;
        }
        world_run(w, MS);
    }
    struct relay_info info;
    assert_int_equal(forged, 1);
    assert_true(node_relay_at(n, 0, &info));
    assert_string_equal(info.state, "reserved");
    world_free(w);
}

/* ---- strangers ---- */

/* While a ticket is open anybody may come through a relay, and many do who have none. */
static void strangers_do_not_keep_the_tickets_holder_out(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 70);
    char ticket[TICKET_TEXT_MAX + 1];
    world_run(w, 3 * S);
    assert_int_equal(node_ticket_new(w->nodes[1].node, w->now_us, "n2", 3600, ticket), 0);
    struct relay_msg m = {.op = RELAY_INCOMING, .flow = 100, .lifetime_s = 300};
    bool met = false;
    for (unsigned n = 0; n < 200 && !met; n++, m.flow++) {
        m.peer.bytes[0] = (uint8_t)(n % 40); /* as they come again */
        say_relay(w, 0, 1, &m);
        world_run(w, 100 * MS);
        if (n == 50)
            assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "n1", ticket), 0);
        met = n > 50 && online(w, 2, "n1");
    }
    assert_true(met);
    world_free(w);
}

static unsigned flows_open(const struct world *w, unsigned i) {
    const struct relay_client *c = w->nodes[i].node->turn.ep->relay_client;
    struct relay_flow f;
    unsigned n = 0;
    for (uint32_t at = 0; relay_client_each(c, &at, &f);)
        n += f.state == RELAY_FLOW_OPEN;
    return n;
}

/* A relay lets a client have so many flows: those of strangers that came to nothing are none. */
static void flows_of_strangers_end_with_them(void **state) {
    (void)state;
    struct world *w = with_relays(1, 1, 71);
    char ticket[TICKET_TEXT_MAX + 1];
    world_run(w, 3 * S);
    assert_int_equal(node_ticket_new(w->nodes[1].node, w->now_us, "n2", 3600, ticket), 0);
    struct relay_msg m = {.op = RELAY_INCOMING, .flow = 100, .lifetime_s = 300};
    for (unsigned n = 0; n < 600; n++, m.flow++) {
        m.peer.bytes[0] = (uint8_t)n;
        say_relay(w, 0, 1, &m);
        world_run(w, 200 * MS);
        assert_true(flows_open(w, 1) <= WAYS_STRANGERS_MAX + 1);
    }
    world_free(w);
}

/* ---- contacts ---- */

static void say_homes(struct world *w, unsigned i, unsigned to, uint32_t sequence,
                      const struct relay_addr *list, unsigned count) {
    uint8_t out[TOLD_BYTES_MAX];
    struct mesh_told t = {.op = TOLD_HOMES, .sequence = sequence};
    for (unsigned k = 0; k < count; k++)
        assert_true(relay_set_add(&t.homes, &list[k]));
    say(w, i, to, out, told_write(&t, out, sizeof out));
}

static const unsigned MANY = 1000; /* above what it has said by itself */

/* Who is reached by relays only cannot have itself called by saying that it is one. */
static void a_contact_of_relay_only_that_says_it_is_a_relay_is_not_called(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 60);
    world_run(w, 3 * S);
    world_pair(w, 1, 2);
    world_run(w, 12 * S);
    assert_int_equal(node_contact_path(w->nodes[1].node, w->now_us, "n2", CONTACT_PATH_RELAY_ONLY),
                     0);
    world_run(w, S);
    w->hubs = 0; /* they could reach each other */
    const struct relay_addr own = relay_at(w, 2);
    assert_true(online(w, 1, "n2"));
    say_homes(w, 2, 1, MANY, &own, 1);
    world_run(w, S);
    again(w, 1);
    world_run(w, 60 * S);
    w->nodes[2].unplugged = true;
    world_run(w, 300 * S);
    assert_int_equal(w->between[1][2], 0);
    world_free(w);
}

/* Its ticket names relays, but who holds it has heard of the address elsewhere: nothing comes of
 * that, not even a no. */
static void a_ticket_of_relay_only_is_good_through_a_relay_alone(void **state) {
    (void)state;
    for (unsigned used = 0; used < 2; used++) {
        struct world *w = with_relays(1, 2, 66);
        char text[TICKET_TEXT_MAX + 1];
        struct ticket t;
        w->nodes[1].cfg.path = PATH_RELAY_ONLY;
        again(w, 1);
        w->hubs = 0;
        world_run(w, 3 * S);
        assert_int_equal(node_ticket_new(w->nodes[1].node, w->now_us, "n2", 3600, text), 0);
        assert_int_equal(ticket_decode(&t, text), 0);
        if (used) /* as one that is no ticket any more */
            assert_int_equal(node_ticket_end(w->nodes[1].node, w->now_us, text), 0);
        t.addrs[t.addr_count++] = w->nodes[1].addr;
        if (!used)
            t.relays.count = 0;
        assert_int_equal(ticket_encode(&t, text), 0);
        assert_int_equal(node_contact_add(w->nodes[2].node, w->now_us, "n1", text), 0);
        world_run(w, 20 * S);
        assert_true(w->between[2][1] > 0);
        assert_int_equal(w->between[1][2], 0);
        world_free(w);
    }
}

/* Where the user has named none, the relays of contacts are homes. One contact that names others
 * each time does not fill the list. */
static void a_contact_does_not_choose_all_homes(void **state) {
    (void)state;
    struct world *w = with_relays(1, 3, 68);
    w->hubs = 0;
    for (unsigned i = 1; i < 4; i++) {
        configs[i].use_count = i == 3;
        w->nodes[i].cfg.tell[0] = w->nodes[i].addr;
        w->nodes[i].cfg.tell_count = 1;
        again(w, i);
    }
    world_run(w, S);
    world_pair(w, 1, 2);
    for (unsigned n = 0; n < 8; n++) {
        struct relay_addr bad[RELAY_SET_MAX];
        for (unsigned k = 0; k < RELAY_SET_MAX; k++) {
            bad[k] = relay_at(w, 2);
            bad[k].id.bytes[0] ^= (uint8_t)(1 + n * RELAY_SET_MAX + k);
        }
        say_homes(w, 2, 1, MANY + n, bad, RELAY_SET_MAX);
        world_run(w, 3 * S);
    }
    world_pair(w, 3, 1);
    world_run(w, 30 * S);
    struct relay_info info;
    bool home = false;
    for (unsigned i = 0; node_relay_at(w->nodes[1].node, i, &info); i++)
        home |= node_id_equal(&info.at.id, &w->nodes[0].identity.id) && info.reserved;
    assert_true(home);
    world_free(w);
}

/* What one contact says of a relay's address does not lead away from a home that has just died. */
static void a_contact_does_not_move_a_home(void **state) {
    (void)state;
    struct world *w = with_relays(1, 3, 69);
    uint64_t seq;
    w->hubs = 0;
    for (unsigned i = 1; i < 4; i++) {
        configs[i].use_count = i == 3;
        w->nodes[i].cfg.tell[0] = w->nodes[i].addr;
        w->nodes[i].cfg.tell_count = 1;
        again(w, i);
    }
    world_run(w, 3 * S);
    world_pair(w, 3, 1);
    world_pair(w, 1, 2);
    world_run(w, 15 * S);
    struct relay_info info;
    assert_true(node_relay_at(w->nodes[1].node, 0, &info) && info.reserved);
    struct relay_addr bad = relay_at(w, 0);
    bad.at = w->nodes[2].addr;
    bad.port = ++bad.at.port;
    say_homes(w, 2, 1, MANY, &bad, 1);
    world_run(w, 100 * MS);
    world_kill(w, 0);
    w->nodes[2].unplugged = true;
    assert_int_equal(node_message_send(w->nodes[1].node, w->now_us, "n2", "x", 1, &seq), 0);
    world_run(w, 30 * S);
    world_start(w, 0);
    world_run(w, 60 * S);
    assert_true(node_relay_at(w->nodes[1].node, 0, &info));
    assert_true(addr_equal(&info.at.at, &w->nodes[0].addr) && info.reserved);
    world_free(w);
}

/* Both ways, though they have a session that needs no secret. */
static void a_relay_and_its_client_become_contacts_at_once(void **state) {
    (void)state;
    for (unsigned giver = 0; giver < 2; giver++) {
        struct world *w = with_relays(1, 1, 62 + giver);
        world_run(w, 3 * S);
        world_pair(w, giver, 1 - giver);
        world_run(w, 5 * S);
        struct relay_info info;
        assert_true(node_relay_at(w->nodes[1].node, 0, &info));
        assert_true(info.reserved && info.contact);
        world_free(w);
    }
}

/* The user's relay is one, whoever else it is: its own contact, too, and of relay_only. */
static void a_relay_of_the_users_that_is_a_contact_is_used_under_relay_only(void **state) {
    (void)state;
    struct world *w = with_relays(1, 2, 61);
    world_run(w, 3 * S);
    world_pair(w, 1, 0);
    world_run(w, 12 * S);
    w->nodes[1].cfg.path = PATH_RELAY_ONLY;
    again(w, 1);
    world_run(w, 10 * S);
    struct relay_info info;
    assert_true(node_relay_at(w->nodes[1].node, 0, &info));
    assert_true(info.reserved);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_relay_that_forwards_nothing_keeps_nobody_apart),
        cmocka_unit_test(a_relay_that_invents_callers_keeps_nobody_apart),
        cmocka_unit_test(a_relay_that_restarts_without_end_is_not_told_of_without_end),
        cmocka_unit_test(a_relay_that_hangs_up_is_not_dialled_without_end),
        cmocka_unit_test(a_relay_cannot_answer_before_it_was_asked),
        cmocka_unit_test(an_answer_that_comes_first_does_not_keep_the_relay_out),
        cmocka_unit_test(strangers_do_not_keep_the_tickets_holder_out),
        cmocka_unit_test(flows_of_strangers_end_with_them),
        cmocka_unit_test(a_contact_of_relay_only_that_says_it_is_a_relay_is_not_called),
        cmocka_unit_test(a_contact_does_not_choose_all_homes),
        cmocka_unit_test(a_contact_does_not_move_a_home),
        cmocka_unit_test(a_ticket_of_relay_only_is_good_through_a_relay_alone),
        cmocka_unit_test(a_relay_and_its_client_become_contacts_at_once),
        cmocka_unit_test(a_relay_of_the_users_that_is_a_contact_is_used_under_relay_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
