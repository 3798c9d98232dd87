/* Whose share it is: what one contact can take of each queue and table, and what is left to the
 * others (limits.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/mem.h"
#include "support_hub.h"

enum { MS = 1000, KIB = 1024, MIB = 1 << 20 };

/* ---- streams ---- */

/* One frame opens all, a part of them each time that it comes. */
static void open_streams(struct hub *h, unsigned i, uint64_t up_to) {
    for (uint64_t at = 0; at < up_to; at += STREAMS_UNHEARD_MAX) {
        hub_bytes(h, i, 2 * (up_to - 1), 0, 0);
        hub_hear(h);
    }
}

/* Of what all sessions may have, half of the rest stays free, and a few are sure to each. */
static void streams_are_shared_by_all_sessions(void **state) {
    (void)state;
    struct hub *h = hub_new(7);
    assert_int_equal(h->ep[0]->shares.streams.max, STREAMS_ALL_MAX);
    h->ep[0]->shares.streams.max = 6000;
    static const unsigned expected[] = {0, 3000, 1500, 750, 375, 188};
    for (unsigned i = 1; i <= 5; i++) {
        open_streams(h, i, STREAMS_MAX);
        hub_run(h, 2 * MS);
        assert_int_equal(hub_session(h, i)->tp->peer_streams, expected[i]);
    }
    h->ep[0]->shares.streams.max = 100;
    open_streams(h, 6, STREAMS_MAX);
    assert_int_equal(hub_session(h, 6)->tp->peer_streams, STREAMS_SURE);
    const uint64_t used = h->ep[0]->shares.streams.used;
    assert_int_equal(used, 3000 + 1500 + 750 + 375 + 188 + STREAMS_SURE);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CLOSED);
    assert_int_equal(h->ep[0]->shares.streams.used, used - 3000);
    h->ep[0]->shares.streams.max = 6000;
    hub_works_for(h, 7, 1000);
    hub_free(h);
}

/* Twenty contacts open all they may in one batch of packets: each packet would cost more than a
 * millisecond. What is not opened at once is when the frames come again, and who wants few is not
 * kept waiting. */
static void a_batch_opens_few_streams(void **state) {
    (void)state;
    enum { HOSTILE = 20, PACKETS = 10 };
    struct hub *h = hub_new(HOSTILE + 1);
    h->unheard = true;
    for (unsigned i = 1; i <= HOSTILE; i++)
        for (unsigned k = 0; k < PACKETS; k++)
            hub_bytes(h, i, 2 * (STREAMS_MAX - 1), 0, 0);
    assert_in_range(h->ep[0]->shares.streams.used, STREAMS_UNHEARD_MAX,
                    STREAMS_UNHEARD_MAX + HOSTILE * EVENTS_SESSION_SURE);
    const unsigned last = HOSTILE + 1;
    hub_bytes(h, last, 2 * 31, 0, 1);
    assert_int_equal(hub_session(h, last)->tp->peer_streams, 32);
    h->unheard = false;
    hub_hear(h);
    open_streams(h, 1, STREAMS_MAX);
    assert_int_equal(hub_session(h, 1)->tp->peer_streams, STREAMS_MAX);
    hub_free(h);
}

/* A peer may allow us any number of streams; we do not open them. */
static void a_peer_cannot_make_us_hold_more_streams(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    uint8_t frame[9] = {FRAME_MAX_STREAMS};
    struct wr w = wr_init(frame, sizeof frame);
    wr_u8(&w, FRAME_MAX_STREAMS);
    wr_varint(&w, VARINT_MAX);
    hub_hostile(h, 1, frame, wr_len(&w));
    uint64_t id;
    for (unsigned i = 0; i < STREAMS_MAX; i++)
        assert_int_equal(stream_open(h->ep[0], h->at0[1], &id), 0);
    assert_int_equal(stream_open(h->ep[0], h->at0[1], &id), ERR_FULL);
    hub_free(h);
}

/* ---- what is told ---- */

/* Two events for each stream. */
static void end_streams(struct hub *h, unsigned i, uint64_t up_to) {
    for (uint64_t k = 0; k < up_to;) {
        uint8_t frames[800];
        struct wr w = wr_init(frames, sizeof frames);
        for (; k < up_to && wr_left(&w) >= 16; k++) {
            wr_u8(&w, FRAME_RESET);
            wr_varint(&w, 2 * k);
            wr_varint(&w, 1);
            wr_varint(&w, 1);
            wr_u8(&w, FRAME_STOP);
            wr_varint(&w, 2 * k);
            wr_varint(&w, 1);
        }
        hub_hostile(h, i, frames, wr_len(&w));
    }
}

/* Between two looks at the queue, seven contacts cause all the events they can. What another says
 * then is heard, and nothing that was said once is lost. */
static void events_of_one_session_do_not_push_out_anothers(void **state) {
    (void)state;
    struct hub *h = hub_new(8);
    h->ep[0]->shares.streams.max = UINT64_MAX / 2; /* only the queue bounds them here */
    for (unsigned i = 1; i <= 7; i++) {
        h->deaf[i] = true; /* it would wonder at the answers */
        hub_session(h, i)->memo.peer_max = 5000;
        open_streams(h, i, 5000);
    }
    h->unheard = true;
    for (unsigned i = 1; i <= 7; i++) {
        for (uint64_t k = 0; k < 500; k++)
            hub_bytes(h, i, 2 * k, 0, 1);
        end_streams(h, i, 5000);
        assert_in_range(hub_session(h, i)->memo.told.streams, EVENTS_SESSION_SURE,
                        EVENTS_SESSION_MAX);
    }
    assert_true(h->ep[0]->events.count <= EVENTS_MAX - EVENTS_MAX / 4 + 7 * EVENTS_SESSION_SURE);
    assert_true(h->ep[0]->events.count >= EVENTS_MAX / 2);
    hub_bytes(h, 8, 0, 0, 1);
    h->unheard = false;
    hub_run(h, 5 * MS);
    assert_int_equal(h->read[8], 1);
    assert_int_equal(endpoint_counters(h->ep[0])->queue_dropped, 0);
    for (unsigned i = 1; i <= 8; i++)
        assert_int_equal(hub_session(h, i)->memo.told.streams, 0);
    hub_free(h);
}

static void datagrams_and_echoes_of_one_leave_room_to_anothers(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    static const uint8_t datagram[] = {FRAME_DATAGRAM, 1, 'x'}, echoed[9] = {FRAME_ECHOED};
    h->unheard = true;
    for (int i = 0; i < 20000; i++) {
        hub_hostile(h, 1, datagram, sizeof datagram);
        hub_hostile(h, 2, echoed, sizeof echoed);
    }
    for (int i = 0; i < 10; i++) {
        hub_hostile(h, 3, datagram, sizeof datagram);
        hub_hostile(h, 3, echoed, sizeof echoed);
    }
    hub_hear(h);
    assert_int_equal(h->told[1][EP_DATAGRAM], EVENTS_NOISE_SESSION_MAX);
    assert_int_equal(h->told[2][EP_PONG], EVENTS_NOISE_SESSION_MAX);
    assert_int_equal(h->told[3][EP_DATAGRAM], 10);
    assert_int_equal(h->told[3][EP_PONG], 10);
    hub_hostile(h, 1, datagram, sizeof datagram); /* heard: there is room again */
    hub_hear(h);
    assert_int_equal(h->told[1][EP_DATAGRAM], EVENTS_NOISE_SESSION_MAX + 1);
    hub_free(h);
}

/* ---- small packets ---- */

/* Echoes asked for by the thousand, and a stranger's flood that is answered with RETRYs: an echo of
 * another and our own goodbye leave all the same. */
static void answers_to_one_do_not_push_out_packets_to_others(void **state) {
    (void)state;
    struct hub *h = hub_new(3);
    uint8_t echoes[9 * 8] = {0};
    for (unsigned i = 0; i < 8; i++)
        echoes[9 * i] = FRAME_ECHO;
    for (int i = 0; i < 1000; i++)
        hub_hostile(h, 1, echoes, sizeof echoes);
    assert_int_equal(hub_session(h, 1)->small_waiting, SMALL_PER_SESSION_MAX / 2);
    const uint8_t retry[RETRY_BYTES] = {PACKET_RETRY}, answer[RESPONSE_BYTES] = {PACKET_RESPONSE},
                  attempt[INITIATION_BYTES] = {PACKET_INITIATION};
    for (int i = 0; i < 5000; i++) {
        endpoint_queue_small(h->ep[0], NULL, AT(&h->addr[2]), retry, sizeof retry);
        endpoint_queue_small(h->ep[0], NULL, AT(&h->addr[2]), answer, sizeof answer);
        endpoint_queue_small(h->ep[0], NULL, AT(&h->addr[2]), attempt, sizeof attempt);
    }
    const struct small_list *l = h->ep[0]->waiting.lists;
    assert_int_equal(l[SMALL_RETRY].count, SMALL_RETRY_MAX);
    assert_int_equal(l[SMALL_ANSWER].count, SMALL_ANSWER_MAX);
    assert_int_equal(l[SMALL_ATTEMPT].count, SMALL_ATTEMPT_MAX);
    assert_int_equal(l[SMALL_SESSION].count, SMALL_PER_SESSION_MAX / 2);
    assert_int_equal(session_ping(h->ep[3], h->now_us, h->mine[3], 77), 0);
    hub_run(h, MS);
    struct ep_event e;
    bool ponged = false;
    while (endpoint_poll(h->ep[3], &e))
        ponged |= e.kind == EP_PONG;
    (void)ponged;
    assert_int_equal(hub_session(h, 1)->small_waiting, 0);
    for (int i = 0; i < 10; i++)
        hub_hostile(h, 1, echoes, sizeof echoes);
    endpoint_disconnect(h->ep[0], h->now_us, h->at0[1], ERR_CLOSED);
    hub_run(h, MS);
    assert_null(endpoint_find(h->ep[1], h->mine[1])); /* it has heard the goodbye */
    assert_non_null(hub_session(h, 3));
    hub_free(h);
}

/* Each kind has its turn, whichever is longest. */
static void small_packets_leave_in_turn_of_their_kinds(void **state) {
    (void)state;
    struct small_queue q = {0};
    const struct addr there = {.kind = ADDR_IPV4, .port = 1};
    struct small_packet head = {.to = hop_udp(&there, 3)};
    static const uint8_t kinds[] = {PACKET_DATA, PACKET_INITIATION, PACKET_RESPONSE, PACKET_RETRY};
    for (int i = 0; i < 106; i++) {
        const uint8_t *kind = &kinds[i < 100 ? 3 : (i - 100) % 3];
        head.class = small_class_of(kind);
        assert_true(small_push(&q, &head, kind, 1));
    }
    for (int i = 0; i < 10; i++) {
        struct small_packet *p = small_pop(&q, NULL);
        assert_int_equal(p->data[0], kinds[i < 8 ? i % 4 : 3]);
        assert_int_equal(p->to.udp.local, 3);
        mem_free(p);
    }
    head.class = SMALL_SESSION;
    for (int i = 0; i < 1025; i++)
        assert_int_equal(small_push(&q, &head, &kinds[0], 1), i < SMALL_SESSION_MAX);
    small_clear(&q);
    assert_null(small_pop(&q, NULL));
}

/* ---- records of sent packets ---- */

static void records_of_sent_packets_are_shared_by_all_sessions(void **state) {
    (void)state;
    struct share all = {.max = SENT_ALL_MAX};
    struct sent s[6];
    struct sent_pkt *p;
    static const uint32_t caps[] = {131072, 65536, 32768, 16384, 8192, 4096};
    for (unsigned i = 0; i < 6; i++) {
        sent_init(&s[i], 0);
        s[i].all = &all;
        uint64_t pn = 0;
        while (sent_add(&s[i], pn, &p) == 0)
            pn++;
        assert_int_equal(s[i].cap, caps[i]);
        assert_int_equal(pn, caps[i]);
    }
    all.max = 0; /* and so many are sure */
    struct sent last;
    sent_init(&last, 0);
    last.all = &all;
    for (uint64_t pn = 0; pn <= SENT_SURE_PKTS; pn++)
        assert_int_equal(sent_add(&last, pn, &p), pn < SENT_SURE_PKTS ? 0 : ERR_FULL);
    sent_clear(&last);
    for (unsigned i = 0; i < 6; i++)
        sent_clear(&s[i]);
    assert_int_equal(all.used, 0);
}

/* ---- what only we ourselves fill ---- */

static void the_oldest_datagram_gives_way(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    for (unsigned i = 0; i < DATAGRAM_QUEUE_MAX + 3; i++) {
        const uint8_t number = (uint8_t)i;
        assert_int_equal(
            session_datagram(h->ep[0], h->now_us, h->at0[1], &number, 1, h->now_us + 1000 * MS), 0);
    }
    const struct transport *t = hub_session(h, 1)->tp;
    assert_int_equal(t->datagrams.count, DATAGRAM_QUEUE_MAX);
    assert_int_equal(t->datagrams.ring[t->datagrams.head + 8 + 2], 3); /* deadline, length */
    struct session_info info;
    assert_true(endpoint_session_info(h->ep[0], h->now_us, h->at0[1], &info));
    assert_int_equal(info.datagrams_unsent, 3);
    assert_int_equal(endpoint_counters(h->ep[0])->datagrams_expired, 3);
    hub_free(h);
}

static void pings_wait_for_keys_up_to_four(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    hub_session(h, 1)->send_counter = UINT64_MAX - 1; /* nothing may leave under these keys */
    for (unsigned i = 0; i < 2 * SESSION_ECHOES; i++)
        assert_int_equal(session_ping(h->ep[0], h->now_us, h->at0[1], i),
                         i < SESSION_ECHOES ? 0 : ERR_FULL);
    hub_free(h);
}

static void peers_are_bounded(void **state) {
    (void)state;
    struct hub *h = hub_new(1);
    struct endpoint *e = h->ep[0];
    struct peer_ref p;
    const struct peer_setup known = {.id = h->id[1].id}, other = {.id = {{1, 2, 3}}};
    const uint32_t count = e->peers.count, used = e->peers.used, cap = e->peers.bucket_cap;
    e->peers.count = e->peers.used = PEERS_MAX; /* as if they were there */
    e->peers.bucket_cap = cap;
    assert_int_equal(endpoint_peer_add(e, &known, &p), 0);
    e->peers.bucket_cap = PEERS_MAX * 2; /* no growth of what is not there */
    assert_null(peers_add(&e->peers, &other.id));
    e->peers.count = count;
    e->peers.used = used;
    e->peers.bucket_cap = cap;
    assert_int_equal(endpoint_peer_add(e, &other, &p), 0);
    hub_free(h);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_shared_by_all_sessions),
        cmocka_unit_test(a_batch_opens_few_streams),
        cmocka_unit_test(a_peer_cannot_make_us_hold_more_streams),
        cmocka_unit_test(events_of_one_session_do_not_push_out_anothers),
        cmocka_unit_test(datagrams_and_echoes_of_one_leave_room_to_anothers),
        cmocka_unit_test(answers_to_one_do_not_push_out_packets_to_others),
        cmocka_unit_test(small_packets_leave_in_turn_of_their_kinds),
        cmocka_unit_test(records_of_sent_packets_are_shared_by_all_sessions),
        cmocka_unit_test(the_oldest_datagram_gives_way),
        cmocka_unit_test(pings_wait_for_keys_up_to_four),
        cmocka_unit_test(peers_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
