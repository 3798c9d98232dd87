/* Ways through relays: a dial goes through all at once, a mere call does not; and their bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/wire/relay_msg.h"
#include "support_relays.h"

enum { MS = 1000 };

static const unsigned its[] = {2, 3}, shared[] = {0, 1}, many[] = {2, 3, 4, 5};

static struct fake_peer *of(const struct contact *c) {
    return &fake[c->peering->ref.index];
}

static void dial(struct room *r, const struct contact *c) {
    assert_int_equal(dial_now(&r->s.dials, c->peering), 0);
}

/* ---- a dial ---- */

static void a_dial_goes_through_all_relays_at_once(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    relay_lives(&r, 1);
    struct contact *c = room_contact(&r, 1, shared, 2);
    dial(&r, c);
    assert_int_equal(asked(c, &r, 0), 1);
    assert_int_equal(asked(c, &r, 1), 1);
    assert_int_equal(of(c)->connects, 1); /* and to its address, before */
    room_end(&r);
}

/* Those of ours are asked at once, and those of its own that we have nothing to do with are dialled
 * at the same time. */
static void strange_relays_are_dialled_at_the_same_time(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    relay_lives(&r, 1);
    struct contact *c = room_contact(&r, 1, its, 2);
    dial(&r, c);
    assert_int_equal(asked(c, &r, 0), 1);
    assert_int_equal(asked(c, &r, 1), 1);
    assert_int_equal(relay_n(&r, 2)->state, RELAY_IS_ASKING_KEY);
    assert_int_equal(relay_n(&r, 3)->state, RELAY_IS_ASKING_KEY);
    relay_lives(&r, 3);
    assert_int_equal(asked(c, &r, 3), 1); /* as soon as there is a session */
    room_end(&r);
}

static void whatever_answers_first_carries_the_call(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 1); /* the other one is dead */
    struct contact *c = room_contact(&r, 1, shared, 2);
    dial(&r, c);
    assert_int_equal(asked(c, &r, 0), 0);
    relay_gives(&r, 1, c);
    assert_int_equal(heard.places_added, 1);
    assert_int_equal(of(c)->connects, 2);
    scene_up(&r.s, c->peering);
    relay_lives(&r, 0); /* too late: it is needed no more */
    assert_int_equal(asked(c, &r, 0), 0);
    assert_int_equal(r.ways.count, 1);
    room_end(&r);
}

static void a_dial_goes_through_so_many_and_no_more(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    relay_lives(&r, 1);
    struct contact *c = room_contact(&r, 1, many, 4); /* and two of ours */
    dial(&r, c);
    scene_wait(&r.s, 20 * S);
    assert_int_equal(r.ways.count, WAYS_PER_PEER);
    assert_in_range(asked(c, &r, -1), 0, WAYS_PER_PEER);
    for (unsigned n = 2; n <= 5; n++)
        assert_non_null(relay_n(&r, n));
    room_end(&r);
}

static void a_relay_that_says_no_is_not_asked_again_at_once(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    dial(&r, c);
    relay_refuses(&r, 0, c, RELAY_GONE);
    scene_wait(&r.s, WAY_AGAIN_US - 100 * MS);
    assert_int_equal(asked(c, &r, 0), 1);
    assert_string_equal(ways_why(&r.ways, &c->id), "it is not there at its relay");
    scene_wait(&r.s, 2 * S);
    assert_int_equal(asked(c, &r, 0), 2);
    room_end(&r);
}

/* Its reservation came a moment after we asked, and it tells of it. */
static void a_relay_that_says_no_is_asked_again_when_the_peer_tells_of_its_relays(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    dial(&r, c);
    relay_refuses(&r, 0, c, RELAY_GONE);
    ways_changed(&r.ways, c);
    scene_wait(&r.s, WAY_LOOK_US);
    assert_int_equal(asked(c, &r, 0), 2);
    room_end(&r);
}

/* A relay that has not said a word for long may be dead: that is found out with the dial. */
static void a_dial_asks_a_quiet_relay_for_an_echo(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    const struct fake_peer *relay = &fake[relay_n(&r, 0)->peering->ref.index];
    links_pong(&r.links, relay_n(&r, 0)->peering, relay->last_ping);
    dial(&r, room_contact(&r, 2, shared, 1)); /* it has spoken just now */
    assert_int_equal(relay->pings, 1);
    scene_wait(&r.s, 10 * S);
    dial(&r, room_contact(&r, 1, shared, 1));
    assert_int_equal(relay->pings, 2);
    scene_wait(&r.s, 2 * S); /* four of them */
    assert_int_equal(relay->pings, 5);
    assert_int_equal(relay->disconnects, 1);
    room_end(&r);
}

/* ---- a call ---- */

static void who_is_only_called_is_called_through_one(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    relay_lives(&r, 1);
    struct contact *c = room_contact(&r, 1, shared, 2);
    (void)parts_wanted(&r.s.turn.parts, c->peering);
    assert_int_equal(asked(c, &r, -1), 1);
    scene_wait(&r.s, 900 * MS);
    assert_int_equal(asked(c, &r, -1), 1);
    scene_wait(&r.s, 200 * MS); /* which does not answer: through the next one */
    assert_int_equal(asked(c, &r, -1), 2);
    room_end(&r);
}

/* One that is being dialled for long already is none to wait for. */
static void a_relay_that_does_not_come_up_is_not_the_best(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 1);
    scene_wait(&r.s, 2 * S);
    struct contact *c = room_contact(&r, 1, shared, 2);
    (void)parts_wanted(&r.s.turn.parts, c->peering);
    assert_int_equal(asked(c, &r, 1), 1);
    assert_int_equal(r.ways.count, 1);
    room_end(&r);
}

/* ---- a session ---- */

static void data_that_waits_is_given_a_second_way(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    relay_lives(&r, 1);
    struct contact *c = room_contact(&r, 1, shared, 2);
    scene_up(&r.s, c->peering);
    (void)parts_wanted(&r.s.turn.parts, c->peering);
    scene_wait(&r.s, 2 * S); /* it was said and done */
    assert_int_equal(asked(c, &r, -1), 0);
    r.waits = true;
    (void)parts_wanted(&r.s.turn.parts, c->peering);
    scene_wait(&r.s, WAY_STUCK_US);
    assert_int_equal(asked(c, &r, -1), WAYS_OWN_MAX);
    room_end(&r);
}

static void a_flow_that_ends_is_asked_for_again(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    dial(&r, c);
    relay_gives(&r, 0, c);
    scene_up(&r.s, c->peering);
    const struct hop at = r.ways.list[0]->at;
    ways_ended(&r.ways, relay_n(&r, 0), &at, RELAY_NO_FLOW);
    assert_int_equal(heard.places_removed, 1);
    assert_int_equal(asked(c, &r, 0), 2);
    room_end(&r);
}

static void a_relay_that_dies_is_replaced_at_once(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 2);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 2);
    dial(&r, c);
    relay_gives(&r, 0, c);
    scene_up(&r.s, c->peering);
    relay_lives(&r, 1);
    assert_int_equal(asked(c, &r, 1), 0);
    relay_dies(&r, 0);
    assert_int_equal(asked(c, &r, 1), 1);
    room_end(&r);
}

/* ---- who comes, and bounds ---- */

static void an_invitation(struct room *r) {
    const struct invite v = {.psk = {{1}}, .expires_s = UINT32_MAX};
    assert_int_equal(invite_open(&r->s.invites, &v), 0);
}

static void strangers_come_only_while_a_ticket_is_open(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct node_id who = id_of(90);
    relay_brings(&r, 0, &who, 1);
    assert_int_equal(heard.refusals, 1);
    assert_int_equal(r.ways.count, 0);
    an_invitation(&r);
    for (unsigned i = 0; i < WAYS_STRANGERS_MAX + 3u; i++) {
        who = id_of(90 + i);
        relay_brings(&r, 0, &who, 2 + i);
    }
    assert_int_equal(heard.accepts, WAYS_STRANGERS_MAX + 3); /* who came first gives way */
    assert_int_equal(heard.refusals, 1);
    assert_int_equal(ways_in(&r, WAY_OPEN), WAYS_STRANGERS_MAX);
    scene_wait(&r.s, WAY_STRANGER_US); /* none of them has paired */
    assert_int_equal(r.ways.count, 0);
    room_end(&r);
}

/* However many relays it comes through. */
static void a_contact_has_so_many_ways_and_no_more(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 0);
    for (unsigned n = 0; n < 6; n++) {
        struct relay *relay;
        const struct relay_addr at = relay_addr_of(n);
        assert_int_equal(links_need(&r.links, &at, &relay), 0);
        relay_lives(&r, n);
    }
    struct contact *c = room_contact(&r, 1, NULL, 0);
    for (unsigned n = 0; n < 6; n++)
        relay_brings(&r, n, &c->id, n + 1);
    assert_int_equal(heard.accepts, WAYS_PER_PEER);
    assert_int_equal(heard.refusals, 2);
    for (unsigned n = 0; n < 6; n++) /* again, since our answer was lost: no further ones */
        relay_brings(&r, n, &c->id, n + 1);
    assert_int_equal(r.ways.count, WAYS_PER_PEER);
    room_end(&r);
}

static void there_are_so_many_ways_in_all(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 0);
    for (unsigned n = 0; n < WAYS_PER_PEER; n++) {
        struct relay *relay;
        const struct relay_addr at = relay_addr_of(n);
        assert_int_equal(links_need(&r.links, &at, &relay), 0);
        relay_lives(&r, n);
    }
    const unsigned others = WAYS_MAX / WAYS_PER_PEER + 2;
    for (unsigned i = 0; i < others; i++) {
        const struct contact *c = room_contact(&r, 1000 + i, NULL, 0);
        for (unsigned n = 0; n < WAYS_PER_PEER; n++)
            relay_brings(&r, n, &c->id, 1 + i * WAYS_PER_PEER + n);
    }
    assert_int_equal(r.ways.count, WAYS_MAX);
    assert_int_equal(heard.refusals, 2 * WAYS_PER_PEER);
    room_end(&r);
}

static void a_place_that_finds_no_room_is_no_way(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    heard.no_place = true;
    dial(&r, c);
    relay_gives(&r, 0, c);
    assert_int_equal(ways_in(&r, WAY_OPEN), 0);
    assert_int_equal(ways_in(&r, WAY_FAILED), 1);
    room_end(&r);
}

static void who_is_reached_by_addresses_only_has_no_ways(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    dial(&r, c);
    relay_gives(&r, 0, c);
    assert_int_equal(contact_set_path(&r.s.people, c, CONTACT_PATH_DIRECT_ONLY), 0);
    ways_changed(&r.ways, c);
    assert_int_equal(r.ways.count, 0);
    dial(&r, c);
    relay_brings(&r, 0, &c->id, 9);
    assert_int_equal(r.ways.count, 0);
    assert_int_equal(asked(c, &r, 0), 1);
    room_end(&r);
}

static void what_was_wanted_is_forgotten(void **state) {
    (void)state;
    struct room r;
    room_begin(&r, 1);
    relay_lives(&r, 0);
    struct contact *c = room_contact(&r, 1, shared, 1);
    dial(&r, c);
    relay_gives(&r, 0, c);
    scene_wait(&r.s, WAY_WANTED_US + S);
    assert_int_equal(r.ways.wanted_count, 0);
    ways_contact_gone(&r.ways, c);
    assert_int_equal(r.ways.count, 0);
    assert_int_equal(relay_n(&r, 0)->users, 0);
    room_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dial_goes_through_all_relays_at_once),
        cmocka_unit_test(strange_relays_are_dialled_at_the_same_time),
        cmocka_unit_test(whatever_answers_first_carries_the_call),
        cmocka_unit_test(a_dial_goes_through_so_many_and_no_more),
        cmocka_unit_test(a_relay_that_says_no_is_not_asked_again_at_once),
        cmocka_unit_test(a_relay_that_says_no_is_asked_again_when_the_peer_tells_of_its_relays),
        cmocka_unit_test(a_dial_asks_a_quiet_relay_for_an_echo),
        cmocka_unit_test(who_is_only_called_is_called_through_one),
        cmocka_unit_test(a_relay_that_does_not_come_up_is_not_the_best),
        cmocka_unit_test(data_that_waits_is_given_a_second_way),
        cmocka_unit_test(a_flow_that_ends_is_asked_for_again),
        cmocka_unit_test(a_relay_that_dies_is_replaced_at_once),
        cmocka_unit_test(strangers_come_only_while_a_ticket_is_open),
        cmocka_unit_test(a_contact_has_so_many_ways_and_no_more),
        cmocka_unit_test(there_are_so_many_ways_in_all),
        cmocka_unit_test(a_place_that_finds_no_room_is_no_way),
        cmocka_unit_test(who_is_reached_by_addresses_only_has_no_ways),
        cmocka_unit_test(what_was_wanted_is_forgotten),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
