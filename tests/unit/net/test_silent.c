/* A peer that does not answer is noticed in two seconds, whatever was sent or is waited for, and
 * back at once when anything is heard; the session goes on. It costs nothing while nobody waits,
 * and a few questions in an outage.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/endpoint_int.h"
#include "support_outage.h"

struct scene {
    struct pair *p;
    struct run r;
    struct session_ref s[2];
    uint64_t id;
};

static void begin(struct scene *sc, uint64_t seed, uint64_t delay_us) {
    *sc = (struct scene){.p = pair_known(seed, 0)};
    sc->p->user = &sc->r;
    sc->p->on_event = read_all;
    sc->p->delay_us = delay_us;
    pair_connect(sc->p, sc->s);
    pair_run(sc->p, 3 * S, -1, -1); /* what is said at the start is said */
}

static void end(struct scene *sc) {
    assert_int_equal(sc->r.downs, 0);
    pair_free(sc->p);
}

static void write_some(struct scene *sc, int side, size_t bytes) {
    static const uint8_t data[4096];
    size_t taken;
    if (sc->id == 0 && stream_open(sc->p->ep[side], sc->s[side], &sc->id) != 0)
        fail_msg("no stream");
    assert_int_equal(stream_write(sc->p->ep[side], sc->s[side], sc->id, data, bytes, &taken), 0);
}

static const struct session *session_at(const struct scene *sc, int side) {
    return endpoint_find(sc->p->ep[side], sc->s[side]);
}

static uint64_t asked(const struct scene *sc, int side) {
    return endpoint_counters(sc->p->ep[side])->silences_asked;
}

static uint64_t both_sent(const struct scene *sc) {
    return endpoint_counters(sc->p->ep[0])->pkts_out + endpoint_counters(sc->p->ep[1])->pkts_out;
}

/* Side 0 hears of it, this long after the path was cut; and of the end when it is whole again. */
static void is_told(struct scene *sc, uint64_t least_us, uint64_t most_us) {
    struct pair *p = sc->p;
    const uint64_t from_us = p->now_us;
    p->cut = true;
    assert_true(pair_run(p, most_us, 0, EP_SESSION_SILENT));
    assert_in_range(p->now_us - from_us, least_us, most_us);
    pair_run(p, 3 * S, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_SESSION_SILENT), 1); /* and once */
    assert_int_equal(pair_count(p, 0, EP_SESSION_HEARD), 0);
    p->cut = false;
    assert_true(pair_run(p, 3 * S, 0, EP_SESSION_HEARD));
    assert_true(p->now_us - session_at(sc, 0)->last_recv_us < MS);
    pair_run(p, S, -1, -1);
    assert_int_equal(pair_count(p, 0, EP_SESSION_HEARD), 1);
}

static void whatever_is_sent_and_not_answered_is_told_in_two_seconds(void **state) {
    (void)state;
    for (unsigned what = 0; what < 3; what++)
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct scene sc;
            begin(&sc, seed, 20 * MS);
            if (what == 0)
                write_some(&sc, 0, 1000);
            else if (what == 1)
                assert_int_equal(
                    session_datagram(sc.p->ep[0], sc.p->now_us, sc.s[0], "x", 1, TIME_NEVER), 0);
            else
                assert_int_equal(session_ping(sc.p->ep[0], sc.p->now_us, sc.s[0], 7), 0);
            is_told(&sc, 1800 * MS, 2 * S);
            end(&sc);
        }
}

/* It is dead for a while before anything is sent: the time counts from then. */
static void an_idle_session_is_not_doubted_and_what_begins_has_its_time(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 3, 20 * MS);
    sc.p->cut = true;
    pair_run(sc.p, 60 * S, -1, -1);
    assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), 0);
    write_some(&sc, 0, 1000);
    is_told(&sc, PEER_SILENT_US, 2 * S);
    end(&sc);
}

/* Side 1 sends all the time and dies: side 0 has nothing out but acknowledgements. */
static void who_waits_for_more_of_a_stream_asks_and_is_told_in_two_seconds(void **state) {
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct scene sc;
        begin(&sc, seed, 20 * MS);
        for (unsigned i = 0; i < 50; i++) {
            write_some(&sc, 1, 3000);
            pair_run(sc.p, 20 * MS, -1, -1);
        }
        assert_int_equal(asked(&sc, 0), 0);
        is_told(&sc, 1500 * MS, 2 * S);
        assert_in_range(asked(&sc, 0), 1, PEER_ASKS);
        end(&sc);
    }
}

static void a_stream_that_rests_is_asked_once_and_costs_nothing_then(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 4, 20 * MS);
    write_some(&sc, 1, 3000);
    pair_run(sc.p, 300 * MS, -1, -1);
    const uint64_t before = both_sent(&sc);
    pair_run(sc.p, 100 * S, -1, -1);
    assert_int_equal(asked(&sc, 0), 1);
    assert_int_equal(asked(&sc, 1), 0);
    assert_int_equal(both_sent(&sc), before + 2); /* one question, one answer */
    assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), 0);
    end(&sc);
}

static void what_has_ended_is_not_asked_for(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 5, 20 * MS);
    write_some(&sc, 1, 3000);
    assert_int_equal(stream_finish(sc.p->ep[1], sc.s[1], sc.id), 0);
    pair_run(sc.p, 300 * MS, -1, -1);
    stream_let_go(sc.p->ep[1], sc.s[1], sc.id);
    const uint64_t before = both_sent(&sc);
    pair_run(sc.p, 60 * S, -1, -1);
    assert_int_equal(asked(&sc, 0), 0);
    assert_true(both_sent(&sc) <= before + 2); /* that nobody reads it any more */
    end(&sc);
}

/* Four round trips, where those are long, and ten seconds at most. */
static void a_long_way_is_given_its_time(void **state) {
    (void)state;
    static const uint64_t delays_us[] = {300 * MS, 600 * MS, 1500 * MS};
    for (unsigned i = 0; i < sizeof delays_us / sizeof *delays_us; i++) {
        struct scene sc;
        const uint64_t rtt_us = 2 * delays_us[i];
        begin(&sc, 6, delays_us[i]);
        unsigned told = 0;
        for (unsigned k = 0; k < 20; k++) {
            write_some(&sc, 0, 100);
            pair_run(sc.p, 2 * rtt_us, -1, -1);
            if (k == 0) /* the first one measures it */
                told = pair_count(sc.p, 0, EP_SESSION_SILENT);
        }
        assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), told);
        sc.p->cut = true;
        const uint64_t from_us = sc.p->now_us;
        write_some(&sc, 0, 100);
        assert_true(pair_run(sc.p, 12 * S, 0, EP_SESSION_SILENT));
        const uint64_t wait_us = sc.p->now_us - from_us;
        const uint64_t most_us = PEER_SILENT_MAX_US;
        assert_in_range(wait_us, 4 * rtt_us < most_us ? 3 * rtt_us : most_us, most_us + MS);
        assert_true(wait_us < 5 * rtt_us);
        end(&sc);
    }
}

/* Three of ten that go either way are lost: with so many questions one is answered in time. */
static void a_bad_way_is_no_silence(void **state) {
    (void)state;
    unsigned told = 0;
    for (uint64_t seed = 1; seed <= 100; seed++) {
        struct scene sc;
        begin(&sc, seed, 20 * MS);
        sc.p->loss_permille = 300;
        for (unsigned i = 0; i < 20; i++) {
            write_some(&sc, 0, 1000);
            pair_run(sc.p, 3 * S, -1, -1);
        }
        told += pair_count(sc.p, 0, EP_SESSION_SILENT);
        end(&sc);
    }
    assert_in_range(told, 0, 4); /* of 2,000 */
}

static void an_outage_is_asked_in_a_few_times_and_not_stormed(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 7, 20 * MS);
    write_some(&sc, 0, 4000);
    sc.p->cut = true;
    const uint64_t before = endpoint_counters(sc.p->ep[0])->pkts_out;
    pair_run(sc.p, OUTAGE_US, -1, -1);
    assert_int_equal(asked(&sc, 0), PEER_ASKS);
    assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), 1);
    /* Probe timeouts of two packets, up to two seconds apart, and a handshake's repetitions. */
    assert_true(endpoint_counters(sc.p->ep[0])->pkts_out - before < 60);
    sc.p->cut = false;
    pair_run(sc.p, 3 * S, -1, -1);
    assert_int_equal(sc.r.got[0], 4000);
    end(&sc);
}

/* This machine was asleep, or had no time: what has come meanwhile is read first. */
static void who_was_away_itself_counts_anew(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 8, 20 * MS);
    write_some(&sc, 0, 1000);
    pair_run(sc.p, MS, -1, -1);
    sc.p->now_us += 5 * S;
    endpoint_timeout(sc.p->ep[0], sc.p->now_us);
    assert_false(session_at(&sc, 0)->silent);
    pair_run(sc.p, 5 * S, -1, -1);
    assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), 0);
    write_some(&sc, 0, 1000);
    pair_run(sc.p, MS, -1, -1);
    sc.p->cut = true;
    sc.p->now_us += 5 * S;
    assert_true(pair_run(sc.p, 2 * S, 0, EP_SESSION_SILENT));
    end(&sc);
}

static void the_user_may_have_found_it_first(void **state) {
    (void)state;
    struct scene sc;
    begin(&sc, 9, 20 * MS);
    write_some(&sc, 0, 1000);
    sc.p->cut = true;
    pair_run(sc.p, S, -1, -1);
    session_tell_heard(sc.p->ep[0], sc.s[0]);
    pair_run(sc.p, 3 * S, -1, -1);
    assert_int_equal(pair_count(sc.p, 0, EP_SESSION_SILENT), 0);
    sc.p->cut = false;
    assert_true(pair_run(sc.p, 3 * S, 0, EP_SESSION_HEARD));
    end(&sc);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_is_sent_and_not_answered_is_told_in_two_seconds),
        cmocka_unit_test(an_idle_session_is_not_doubted_and_what_begins_has_its_time),
        cmocka_unit_test(who_waits_for_more_of_a_stream_asks_and_is_told_in_two_seconds),
        cmocka_unit_test(a_stream_that_rests_is_asked_once_and_costs_nothing_then),
        cmocka_unit_test(what_has_ended_is_not_asked_for),
        cmocka_unit_test(a_long_way_is_given_its_time),
        cmocka_unit_test(a_bad_way_is_no_silence),
        cmocka_unit_test(an_outage_is_asked_in_a_few_times_and_not_stormed),
        cmocka_unit_test(who_was_away_itself_counts_anew),
        cmocka_unit_test(the_user_may_have_found_it_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
