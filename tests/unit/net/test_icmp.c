/* Whose word counts when somebody says that a packet was too big (RFC 8899 §4.6). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/base/bytes.h"
#include "net/endpoint_int.h"
#include "support_world.h"

enum { MTU = 1452, FEED = 64 << 10 };

/* The last full packet that side 0 has sent. */
static struct {
    uint8_t head[DATA_HEADER_BYTES];
    size_t len;
} last;

static bool note(struct pair *p, int from, uint8_t *data, size_t len) {
    (void)p;
    if (from == 0 && data[0] == PACKET_DATA && len == MTU) {
        memcpy(last.head, data, sizeof last.head);
        last.len = len;
    }
    return true;
}

static uint16_t mtu_of(struct world *w) {
    struct session_info info;
    assert_true(endpoint_session_info(w->p->ep[0], w->p->now_us, w->s[0], &info));
    return info.mtu_bytes;
}

/* Two who have found out that the path takes MTU. */
static struct world *start(uint64_t seed) {
    struct world *w = world_new(seed);
    w->p->mtu = MTU;
    w->p->tap = note;
    const uint64_t id = world_open(w, 0);
    for (unsigned i = 0; i < 200 && mtu_of(w) < MTU; i++) {
        world_feed(w, 0, id, w->written[0][id] + FEED);
        world_run(w, 20 * MS);
    }
    assert_int_equal(mtu_of(w), MTU);
    return w;
}

static void say(struct world *w, const struct icmp_quote *q, size_t fits_bytes) {
    endpoint_icmp_too_big(w->p->ep[0], w->p->now_us, q, fits_bytes);
}

static struct icmp_quote quote(const struct world *w) {
    return (struct icmp_quote){
        .to = w->p->addr[1], .bytes = last.len, .head = last.head, .len = sizeof last.head};
}

static void only_what_quotes_a_packet_of_ours_is_believed(void **state) {
    (void)state;
    struct world *w = start(1);
    const struct endpoint_counters *c = endpoint_counters(w->p->ep[0]);
    uint8_t head[DATA_HEADER_BYTES];
    for (unsigned byte = 0; byte < DATA_HEADER_BYTES; byte++) {
        if (byte >= 1 && byte < 4)
            continue; /* the epoch and what is reserved say nothing */
        for (unsigned bit = 0; bit < 8; bit++) {
            if (byte >= 8 && (byte - 8) * 8 + bit < 20)
                continue; /* another one of the last packets */
            memcpy(head, last.head, sizeof head);
            head[byte] = (uint8_t)(head[byte] ^ 1u << bit);
            struct icmp_quote q = quote(w);
            q.head = head;
            say(w, &q, 1272);
        }
    }
    struct icmp_quote q = quote(w);
    q.to.port++;
    say(w, &q, 1272);
    q = quote(w);
    q.len--; /* RFC 792 asks for eight bytes, which are UDP's header: that proves nothing */
    say(w, &q, 1272);
    q = quote(w);
    say(w, &q, q.bytes); /* it would have passed */
    assert_int_equal(mtu_of(w), MTU);
    assert_int_equal(c->icmp_believed, 0);
    assert_true(c->icmp_refused > 70);
    q = quote(w);
    say(w, &q, 1272);
    assert_int_equal(c->icmp_believed, 1);
    assert_int_equal(mtu_of(w), MTU_BASE_BYTES);
    world_free(w);
}

/* An old packet's header, seen long ago, is of no use. */
static void an_old_packet_proves_nothing(void **state) {
    (void)state;
    struct world *w = start(2);
    struct session *s = endpoint_find(w->p->ep[0], w->s[0]);
    const struct icmp_quote q = quote(w);
    const uint64_t counter = load_le64(last.head + 8), before = s->send_counter;
    s->send_counter = counter + ICMP_QUOTE_RECENT_PKTS + 1;
    say(w, &q, 1272);
    assert_int_equal(mtu_of(w), MTU);
    s->send_counter = counter + ICMP_QUOTE_RECENT_PKTS;
    say(w, &q, 1272);
    assert_int_equal(mtu_of(w), MTU_BASE_BYTES);
    s->send_counter = before;
    world_free(w);
}

/* Whoever is on the path sees what is sent, and can quote it. */
static void nobody_says_less_than_the_base(void **state) {
    (void)state;
    struct world *w = start(3);
    static const size_t claims[] = {0, 40, 547, 548, 1199, 1200};
    for (unsigned i = 0; i < 6; i++) {
        const struct icmp_quote q = quote(w);
        say(w, &q, claims[i]);
        assert_int_equal(mtu_of(w), MTU_BASE_BYTES);
    }
    world_run(w, 100 * MS);
    assert_int_equal(mtu_of(w), MTU_BASE_BYTES);
    world_free(w);
}

/* What the router says is where the search ends: no probe is lost for it. */
static void the_mtu_that_was_said_is_found_again_at_once(void **state) {
    (void)state;
    struct world *w = start(4);
    w->p->mtu = 1272;
    const struct icmp_quote q = quote(w);
    say(w, &q, 1272);
    const uint64_t id = world_open(w, 0);
    for (unsigned i = 0; i < 50 && mtu_of(w) < 1272 - 20; i++) {
        world_feed(w, 0, id, w->written[0][id] + FEED);
        world_run(w, 20 * MS);
    }
    assert_in_range(mtu_of(w), 1272 - 20, 1272);
    assert_int_equal(endpoint_counters(w->p->ep[0])->black_holes, 0);
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_quotes_a_packet_of_ours_is_believed),
        cmocka_unit_test(an_old_packet_proves_nothing),
        cmocka_unit_test(nobody_says_less_than_the_base),
        cmocka_unit_test(the_mtu_that_was_said_is_found_again_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
