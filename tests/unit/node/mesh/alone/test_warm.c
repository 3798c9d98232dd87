/* Sessions with relays that are kept: when something is said there, and what. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/wire/relay_msg.h"
#include "support_relays.h"

enum { MS = 1000 };

static struct fake_peer *of(struct room *r, unsigned n) {
    return &fake[relay_n(r, n)->peering->ref.index];
}

static void reserved(struct room *r, unsigned n) {
    const struct ep_event ev = {.kind = EP_RELAY_RESERVED, .relay = {.lifetime_s = 3600}};
    of(r, n)->heard_us = r->s.turn.now_us;
    links_said(&r->links, relay_n(r, n), &ev);
}

/* Time passes, and these relays answer what they are asked. */
static void pass(struct room *r, uint64_t us, unsigned relays) {
    const uint64_t until = r->s.turn.now_us + us;
    while (r->s.turn.now_us < until) {
        const unsigned reserves = heard.reserves;
        scene_wait(&r->s, 10 * MS);
        for (unsigned n = 0; n < relays; n++) {
            if (heard.reserves > reserves && relay_n(r, n)->probe.other)
                reserved(r, n);
            if (relay_n(r, n)->probe.sent > 0)
                links_pong(&r->links, relay_n(r, n)->peering, of(r, n)->last_ping);
        }
    }
}

static void at_home(struct room *r, unsigned relays) {
    room_begin(r, relays);
    for (unsigned n = 0; n < relays; n++) {
        relay_lives(r, n);
        reserved(r, n);
    }
    pass(r, S, relays);
}

/* An echo that was no rest before says nothing about how long the NAT holds. */
static void the_first_echo_teaches_nothing(void **state) {
    (void)state;
    struct room r;
    at_home(&r, 1);
    assert_int_equal(keepalive_us(&relay_n(&r, 0)->keepalive), 25 * S);
    pass(&r, 26 * S, 1);
    assert_int_equal(keepalive_us(&relay_n(&r, 0)->keepalive), 40 * S);
    room_end(&r);
}

/* Of 3,600 s, once it is learnt that 110 s are possible: three times something is said while keys
 * last, and the fourth time they are new ones. */
static void keys_serve_for_as_long_as_they_can(void **state) {
    (void)state;
    struct room r;
    at_home(&r, 1);
    pass(&r, 600 * S, 1);
    const unsigned pings = of(&r, 0)->pings, renewed = heard.renewed;
    pass(&r, 3600 * (uint64_t)S, 1);
    assert_in_range(heard.renewed - renewed, 12, 13); /* every 277 to 288 s */
    assert_in_range(of(&r, 0)->pings - pings, 20, 27);
    room_end(&r);
}

/* Two homes that began together. */
static void two_homes_do_not_renew_their_keys_at_once(void **state) {
    (void)state;
    struct room r;
    at_home(&r, 2);
    pass(&r, 600 * S, 2);
    for (unsigned i = 0; i < 360; i++) {
        pass(&r, 10 * S, 2);
        const uint64_t a = heard.keys_us[relay_n(&r, 0)->peering->ref.index];
        const uint64_t b = heard.keys_us[relay_n(&r, 1)->peering->ref.index];
        assert_true((a < b ? b - a : a - b) >= 40 * (uint64_t)S);
    }
    room_end(&r);
}

/* The request for a reservation is answered as an echo is. */
static void a_reservation_is_renewed_in_the_place_of_an_echo(void **state) {
    (void)state;
    struct room r;
    at_home(&r, 1);
    relay_n(&r, 0)->renew_us = r.s.turn.now_us + 30 * S;
    const unsigned pings = of(&r, 0)->pings, reserves = heard.reserves;
    pass(&r, 26 * S, 1);
    assert_int_equal(heard.reserves, reserves + 1);
    assert_int_equal(of(&r, 0)->pings, pings);
    assert_int_equal(relay_n(&r, 0)->lost_percent, 0);
    room_end(&r);
}

/* Who comes through one home shows nothing of the other: it is asked. */
static void a_home_that_brought_nobody_is_asked(void **state) {
    (void)state;
    struct room r;
    at_home(&r, 2);
    struct contact *c = room_contact(&r, 1, NULL, 0);
    pass(&r, 10 * S, 2);
    const unsigned brought = of(&r, 0)->pings, other = of(&r, 1)->pings;
    relay_brings(&r, 0, &c->id, 1);
    assert_int_equal(of(&r, 0)->pings, brought);
    assert_int_equal(of(&r, 1)->pings, other + 1);
    pass(&r, 2 * S, 1); /* it does not answer */
    assert_int_equal(of(&r, 1)->disconnects, 1);
    room_end(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_echo_teaches_nothing),
        cmocka_unit_test(keys_serve_for_as_long_as_they_can),
        cmocka_unit_test(two_homes_do_not_renew_their_keys_at_once),
        cmocka_unit_test(a_reservation_is_renewed_in_the_place_of_an_echo),
        cmocka_unit_test(a_home_that_brought_nobody_is_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
