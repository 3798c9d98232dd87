/* What a node has at its relays: requests are repeated and end, what is used is renewed, and a
 * relay that lies gets nothing by it. */
#include "net/relay/relay_client.h"

#include "support_relay.h"

static struct rand_state rnd;
static const struct peer_ref home = {4, 2}, other_home = {5, 2};

static struct relay_client *client(void) {
    struct relay_client *c = relay_client_new(&(struct rng){relay_fill, &rnd});
    assert_non_null(c);
    return c;
}

static struct relay_msg said(struct relay_client *c, uint64_t now_us, struct peer_ref to,
                             uint8_t op) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct relay_msg m = {0};
    struct peer_ref at = {0};
    size_t len = 0;
    assert_true(relay_client_next(c, now_us, &at, out, &len));
    assert_true(relay_msg_read(&m, out, len));
    assert_false(relay_op_is_relays(m.op));
    assert_true(at.index == to.index && at.generation == to.generation);
    assert_int_equal(m.op, op);
    return m;
}

static void says_nothing(struct relay_client *c, uint64_t now_us) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct peer_ref at;
    size_t len;
    assert_false(relay_client_next(c, now_us, &at, out, &len));
}

static void hears(struct relay_client *c, uint64_t now_us, struct peer_ref from,
                  struct relay_msg m) {
    uint8_t out[RELAY_MSG_MAX_BYTES];
    const size_t len = relay_msg_write(&m, out);
    relay_client_input(c, now_us, from, out, len);
}

static struct relay_event event(struct relay_client *c, enum relay_event_kind kind) {
    struct relay_event e = {0};
    assert_true(relay_client_poll(c, &e));
    assert_int_equal(e.kind, kind);
    return e;
}

static void no_event(struct relay_client *c) {
    struct relay_event e;
    assert_false(relay_client_poll(c, &e));
}

/* Nothing is answered: how often, and until when, is something said? */
static uint64_t unanswered(struct relay_client *c, uint64_t now_us, struct peer_ref to, uint8_t op,
                           unsigned *times) {
    const uint64_t from_us = now_us;
    uint64_t wait_us = 250 * RELAY_MS;
    uint32_t request = 0;
    for (*times = 0;; wait_us *= 2) {
        const struct relay_msg m = said(c, now_us, to, op);
        assert_true(*times == 0 || m.request == request); /* the same request */
        request = m.request;
        says_nothing(c, now_us);
        ++*times;
        assert_int_equal(relay_client_deadline_us(c), now_us + wait_us);
        relay_client_timeout(c, now_us + wait_us - 1);
        says_nothing(c, now_us);
        now_us += wait_us;
        relay_client_timeout(c, now_us);
        if (*times == RELAY_TRIES)
            return now_us - from_us;
    }
}

static uint32_t reserve_ok(struct relay_client *c, uint64_t now_us, struct peer_ref at) {
    assert_int_equal(relay_client_reserve(c, now_us, at), 0);
    const struct relay_msg m = said(c, now_us, at, RELAY_RESERVE);
    hears(c, now_us, at,
          (struct relay_msg){.op = RELAY_RESERVED, .request = m.request, .lifetime_s = 3600});
    assert_int_equal(event(c, RELAY_EV_RESERVED).lifetime_s, 3600);
    return m.request;
}

static uint32_t open_ok(struct relay_client *c, uint64_t now_us, struct peer_ref at, uint32_t n,
                        uint32_t flow) {
    const struct node_id id = relay_id(n);
    uint32_t request;
    assert_int_equal(relay_client_open(c, now_us, at, &id, &request), 0);
    const struct relay_msg m = said(c, now_us, at, RELAY_OPEN);
    assert_memory_equal(&m.peer, &id, sizeof id);
    assert_int_equal(m.request, request);
    hears(c, now_us, at,
          (struct relay_msg){
              .op = RELAY_OPENED, .request = request, .flow = flow, .lifetime_s = 300});
    const struct relay_event e = event(c, RELAY_EV_OPENED);
    assert_true(e.flow == flow && e.request == request);
    assert_memory_equal(&e.peer, &id, sizeof id);
    return request;
}

static void incoming(struct relay_client *c, uint64_t now_us, struct peer_ref at, uint32_t n,
                     uint32_t flow) {
    hears(c, now_us, at,
          (struct relay_msg){
              .op = RELAY_INCOMING, .flow = flow, .peer = relay_id(n), .lifetime_s = 300});
}

static void a_reservation_is_asked_for_five_times_and_fails(void **state) {
    (void)state;
    struct relay_client *c = client();
    unsigned times;
    assert_int_equal(relay_client_reserve(c, RELAY_T0, home), 0);
    assert_int_equal(unanswered(c, RELAY_T0, home, RELAY_RESERVE, &times), 7750 * RELAY_MS);
    assert_int_equal(event(c, RELAY_EV_UNRESERVED).reason, RELAY_NO_ANSWER);
    no_event(c);
    assert_true(relay_client_deadline_us(c) == TIME_NEVER);
    relay_client_free(c);
}

static void a_reservation_that_is_taken_back_is_none(void **state) {
    (void)state;
    struct relay_client *c = client();
    struct relay_msg m = {.op = RELAY_REFUSED, .reason = RELAY_DENIED};
    m.request = reserve_ok(c, RELAY_T0, home) + 1;
    hears(c, RELAY_T0, home, m); /* another one's */
    no_event(c);
    m.request--;
    hears(c, RELAY_T0, home, m);
    assert_int_equal(event(c, RELAY_EV_UNRESERVED).reason, RELAY_DENIED);
    relay_client_free(c);
}

static void a_reservation_is_renewed_at_half_its_life(void **state) {
    (void)state;
    struct relay_client *c = client();
    (void)reserve_ok(c, RELAY_T0, home);
    const uint64_t half = RELAY_T0 + UINT64_C(1800) * RELAY_S;
    assert_int_equal(relay_client_deadline_us(c), half);
    relay_client_timeout(c, half);
    const struct relay_msg m = said(c, half, home, RELAY_RESERVE);
    hears(c, half, home, (struct relay_msg){.op = RELAY_RESERVED, .request = m.request + 1});
    no_event(c); /* another request's */
    hears(c, half, home,
          (struct relay_msg){.op = RELAY_RESERVED, .request = m.request, .lifetime_s = 100});
    assert_int_equal(event(c, RELAY_EV_RESERVED).lifetime_s, 100);
    relay_client_timeout(c, half + 50 * RELAY_S);
    (void)said(c, half + 50 * RELAY_S, home, RELAY_RESERVE);
    hears(c, half, home,
          (struct relay_msg){
              .op = RELAY_REFUSED, .request = m.request + 1, .reason = RELAY_RESTARTS});
    assert_int_equal(event(c, RELAY_EV_UNRESERVED).reason, RELAY_RESTARTS);
    assert_true(relay_client_deadline_us(c) == TIME_NEVER);
    relay_client_free(c);
}

static void a_reservation_is_given_back_in_silence(void **state) {
    (void)state;
    struct relay_client *c = client();
    (void)reserve_ok(c, RELAY_T0, home);
    relay_client_release(c, RELAY_T0, home);
    const struct relay_msg m = said(c, RELAY_T0, home, RELAY_RESERVE);
    assert_int_equal(m.lifetime_s, 0);
    hears(c, RELAY_T0, home, (struct relay_msg){.op = RELAY_RESERVED, .request = m.request});
    no_event(c);
    assert_true(relay_client_deadline_us(c) == TIME_NEVER);
    relay_client_release(c, RELAY_T0, home);
    says_nothing(c, RELAY_T0);
    relay_client_free(c);
}

static void a_flow_is_asked_for_five_times_and_fails(void **state) {
    (void)state;
    struct relay_client *c = client();
    const struct node_id id = relay_id(3);
    uint32_t request, again;
    unsigned times;
    assert_int_equal(relay_client_open(c, RELAY_T0, home, &id, &request), 0);
    assert_int_equal(relay_client_open(c, RELAY_T0, home, &id, &again), 0);
    assert_int_equal(again, request); /* it is on its way */
    assert_int_equal(unanswered(c, RELAY_T0, home, RELAY_OPEN, &times), 7750 * RELAY_MS);
    const struct relay_event e = event(c, RELAY_EV_REFUSED);
    assert_true(e.reason == RELAY_NO_ANSWER && e.request == request);
    no_event(c);
    relay_client_free(c);
}

static void a_refusal_has_its_reason_at_once(void **state) {
    (void)state;
    struct relay_client *c = client();
    for (uint8_t reason = 0; reason < 12; reason++) {
        const struct node_id id = relay_id(reason);
        uint32_t request;
        assert_int_equal(relay_client_open(c, RELAY_T0, home, &id, &request), 0);
        (void)said(c, RELAY_T0, home, RELAY_OPEN);
        hears(c, RELAY_T0, home,
              (struct relay_msg){.op = RELAY_REFUSED, .request = request, .reason = reason});
        const struct relay_event e = event(c, RELAY_EV_REFUSED);
        assert_true(e.request == request && e.reason == (reason ? reason : RELAY_DENIED));
        hears(c, RELAY_T0, home,
              (struct relay_msg){.op = RELAY_REFUSED, .request = request, .reason = reason});
        no_event(c); /* once */
    }
    says_nothing(c, RELAY_T0 + 10 * RELAY_S);
    relay_client_free(c);
}

static void a_flow_leads_to_its_peer_while_it_is_open(void **state) {
    (void)state;
    struct relay_client *c = client();
    const struct node_id id = relay_id(3);
    (void)open_ok(c, RELAY_T0, home, 3, 777);
    const struct node_id *to = relay_client_use(c, RELAY_T0, home, 777);
    assert_non_null(to);
    assert_memory_equal(to, &id, sizeof id);
    assert_null(relay_client_use(c, RELAY_T0, other_home, 777)); /* another relay's number */
    assert_null(relay_client_use(c, RELAY_T0, (struct peer_ref){4, 3}, 777));
    assert_null(relay_client_use(c, RELAY_T0, home, 778));
    assert_int_equal(relay_client_counters(c)->unknown_flow, 3);
    hears(c, RELAY_T0, home,
          (struct relay_msg){.op = RELAY_ENDED, .flow = 777, .reason = RELAY_GONE});
    const struct relay_event e = event(c, RELAY_EV_ENDED);
    assert_true(e.flow == 777 && e.reason == RELAY_GONE);
    assert_null(relay_client_use(c, RELAY_T0, home, 777));
    relay_client_free(c);
}

static void what_is_used_is_renewed_and_what_is_not_runs_out(void **state) {
    (void)state;
    struct relay_client *c = client();
    const uint32_t request = open_ok(c, RELAY_T0, home, 3, 777);
    uint64_t at = RELAY_T0;
    for (unsigned i = 0; i < 3; i++) {
        assert_non_null(relay_client_use(c, at + 100 * RELAY_S, home, 777));
        at += 150 * RELAY_S;
        assert_int_equal(relay_client_deadline_us(c), at);
        relay_client_timeout(c, at);
        assert_int_equal(said(c, at, home, RELAY_OPEN).request, request);
        hears(c, at, home,
              (struct relay_msg){
                  .op = RELAY_OPENED, .request = request, .flow = 777, .lifetime_s = 300});
        no_event(c);
    }
    relay_client_timeout(c, at + 150 * RELAY_S);
    says_nothing(c, at);
    assert_int_equal(relay_client_deadline_us(c), at + 300 * RELAY_S);
    relay_client_timeout(c, at + 300 * RELAY_S);
    assert_int_equal(event(c, RELAY_EV_ENDED).reason, RELAY_EXPIRED);
    assert_true(relay_client_deadline_us(c) == TIME_NEVER);
    /* What was used for a moment is not renewed, and lives for so long after that. */
    (void)open_ok(c, at, home, 3, 779);
    assert_non_null(relay_client_use(c, at + 10 * RELAY_S, home, 779));
    relay_client_timeout(c, at + 150 * RELAY_S);
    says_nothing(c, at);
    assert_int_equal(relay_client_deadline_us(c), at + 310 * RELAY_S);
    relay_client_timeout(c, at + 310 * RELAY_S);
    assert_int_equal(event(c, RELAY_EV_ENDED).reason, RELAY_EXPIRED);
    /* Used late, it is renewed late; and a relay that does not answer that has lost it. */
    (void)open_ok(c, at, home, 3, 778);
    relay_client_timeout(c, at + 150 * RELAY_S);
    says_nothing(c, at);
    assert_non_null(relay_client_use(c, at + 290 * RELAY_S, home, 778));
    at += 300 * RELAY_S;
    relay_client_timeout(c, at);
    unsigned times;
    assert_int_equal(unanswered(c, at, home, RELAY_OPEN, &times), 7750 * RELAY_MS);
    assert_int_equal(event(c, RELAY_EV_ENDED).reason, RELAY_NO_ANSWER);
    relay_client_free(c);
}

static void an_offer_is_answered_each_time_it_is_made(void **state) {
    (void)state;
    struct relay_client *c = client();
    (void)reserve_ok(c, RELAY_T0, home);
    for (uint32_t flow = 50; flow < 52; flow++) {
        const bool accept = flow == 50;
        incoming(c, RELAY_T0, home, flow, flow);
        incoming(c, RELAY_T0, home, flow, flow);
        const struct relay_event e = event(c, RELAY_EV_INCOMING);
        const struct node_id id = relay_id(flow);
        assert_memory_equal(&e.peer, &id, sizeof id);
        no_event(c); /* told once */
        assert_null(relay_client_use(c, RELAY_T0, home, flow));
        says_nothing(c, RELAY_T0);
        assert_int_equal(relay_client_answer(c, RELAY_T0, home, flow, accept, RELAY_FULL), 0);
        assert_int_equal(relay_client_answer(c, RELAY_T0, home, flow, accept, RELAY_FULL),
                         ERR_NOT_FOUND);
        for (unsigned i = 0; i < 3; i++) {
            const struct relay_msg m =
                said(c, RELAY_T0, home, accept ? RELAY_ACCEPT : RELAY_REFUSE);
            assert_true(m.flow == flow && (accept || m.reason == RELAY_FULL));
            says_nothing(c, RELAY_T0);
            incoming(c, RELAY_T0 + i * RELAY_S, home, flow, flow);
        }
        (void)said(c, RELAY_T0, home, accept ? RELAY_ACCEPT : RELAY_REFUSE);
        assert_true((relay_client_use(c, RELAY_T0, home, flow) != NULL) == accept);
    }
    relay_client_timeout(c, RELAY_T0 + 8 * RELAY_S); /* the refusal is forgotten */
    no_event(c);
    struct relay_flow f;
    assert_true(relay_client_flow(c, home, 50, &f));
    assert_false(relay_client_flow(c, home, 51, &f));
    relay_client_free(c);
}

static void offers_without_end_are_a_few_ids(void **state) {
    (void)state;
    struct relay_client *c = client();
    incoming(c, RELAY_T0, home, 1, 1); /* nobody reserved there */
    assert_int_equal(relay_client_counters(c)->not_asked, 1);
    (void)reserve_ok(c, RELAY_T0, home);
    (void)reserve_ok(c, RELAY_T0, other_home);
    for (uint32_t i = 1; i <= 100000; i++)
        incoming(c, RELAY_T0, home, i, i);
    assert_int_equal(relay_client_counters(c)->offers_dropped, 100000 - RELAY_OFFERS_MAX);
    assert_true(relay_client_memory(c) < 256 * 1024);
    for (uint32_t i = 1; i <= RELAY_OFFERS_MAX; i++)
        assert_int_equal(event(c, RELAY_EV_INCOMING).flow, i);
    no_event(c);
    incoming(c, RELAY_T0, other_home, 5, 5); /* another relay's are not kept out */
    (void)event(c, RELAY_EV_INCOMING);
    assert_int_equal(relay_client_answer(c, RELAY_T0, home, 1, false, RELAY_DENIED), 0);
    incoming(c, RELAY_T0, home, 9, 999999);
    assert_int_equal(event(c, RELAY_EV_INCOMING).flow, 999999);
    relay_client_timeout(c, RELAY_T0 + 11 * RELAY_S); /* nobody answers: forgotten */
    for (uint32_t i = 0; i < RELAY_OFFERS_MAX + 1; i++)
        assert_int_equal(event(c, RELAY_EV_ENDED).reason, RELAY_EXPIRED);
    no_event(c);
    relay_client_free(c);
}

static void a_relay_that_says_what_nobody_asked_changes_nothing(void **state) {
    (void)state;
    struct relay_client *c = client();
    (void)reserve_ok(c, RELAY_T0, home);
    const uint32_t request = open_ok(c, RELAY_T0, home, 3, 777);
    struct relay_msg lies[] = {
        {.op = RELAY_OPENED, .request = request, .flow = 1, .lifetime_s = 9}, /* not asked now */
        {.op = RELAY_OPENED, .request = 12345, .flow = 1, .lifetime_s = 9},
        {.op = RELAY_REFUSED, .request = request, .reason = 1},
        {.op = RELAY_REFUSED, .request = 0, .reason = 1},
        {.op = RELAY_RESERVED, .request = 0, .lifetime_s = 1},
        {.op = RELAY_ENDED, .flow = 1, .reason = 1},
    };
    for (unsigned i = 0; i < sizeof lies / sizeof *lies; i++) {
        hears(c, RELAY_T0, home, lies[i]);
        no_event(c);
        says_nothing(c, RELAY_T0);
        assert_int_equal(relay_client_counters(c)->not_asked, i + 1);
    }
    /* Another relay, that nobody uses, or uses for something else. */
    hears(c, RELAY_T0, other_home, (struct relay_msg){.op = RELAY_ENDED, .flow = 777});
    (void)reserve_ok(c, RELAY_T0, other_home);
    hears(c, RELAY_T0, other_home, (struct relay_msg){.op = RELAY_ENDED, .flow = 777});
    no_event(c);
    /* A number that is held already. */
    const struct node_id id = relay_id(4);
    uint32_t second;
    assert_int_equal(relay_client_open(c, RELAY_T0, home, &id, &second), 0);
    (void)said(c, RELAY_T0, home, RELAY_OPEN);
    hears(c, RELAY_T0, other_home,
          (struct relay_msg){.op = RELAY_OPENED, .request = second, .flow = 5, .lifetime_s = 9});
    no_event(c); /* of whom it was not asked */
    hears(c, RELAY_T0, home,
          (struct relay_msg){.op = RELAY_OPENED, .request = second, .flow = 777, .lifetime_s = 9});
    incoming(c, RELAY_T0, home, 9, 777);
    no_event(c);
    assert_int_equal(relay_client_counters(c)->numbers_twice, 2);
    const struct node_id first = relay_id(3);
    assert_memory_equal(relay_client_use(c, RELAY_T0, home, 777), &first, sizeof first);
    /* And what is no message. */
    uint8_t junk[RELAY_MSG_MAX_BYTES] = {RECORD_KIND_RELAY, RELAY_OPEN};
    for (size_t len = 0; len <= sizeof junk; len++)
        relay_client_input(c, RELAY_T0, home, junk, len);
    assert_int_equal(relay_client_counters(c)->records_bad, sizeof junk + 1);
    relay_client_free(c);
}

static void a_flow_the_relay_made_anew_ends_and_begins(void **state) {
    (void)state;
    struct relay_client *c = client();
    const uint32_t request = open_ok(c, RELAY_T0, home, 3, 777);
    assert_non_null(relay_client_use(c, RELAY_T0 + 140 * RELAY_S, home, 777));
    const uint64_t at = RELAY_T0 + 150 * RELAY_S;
    relay_client_timeout(c, at);
    (void)said(c, at, home, RELAY_OPEN);
    hears(
        c, at, home,
        (struct relay_msg){.op = RELAY_OPENED, .request = request, .flow = 888, .lifetime_s = 300});
    assert_int_equal(event(c, RELAY_EV_ENDED).flow, 777);
    assert_int_equal(event(c, RELAY_EV_OPENED).flow, 888);
    assert_null(relay_client_use(c, at, home, 777));
    assert_non_null(relay_client_use(c, at, home, 888));
    relay_client_free(c);
}

static void a_flow_is_closed_until_the_relay_says_so(void **state) {
    (void)state;
    struct relay_client *c = client();
    unsigned times;
    (void)open_ok(c, RELAY_T0, home, 3, 777);
    relay_client_close(c, RELAY_T0, home, 777);
    assert_null(relay_client_use(c, RELAY_T0, home, 777));
    assert_int_equal(unanswered(c, RELAY_T0, home, RELAY_CLOSE, &times), 7750 * RELAY_MS);
    no_event(c);
    (void)open_ok(c, RELAY_T0, home, 3, 778);
    relay_client_close(c, RELAY_T0, home, 778);
    (void)said(c, RELAY_T0, home, RELAY_CLOSE);
    hears(c, RELAY_T0, home,
          (struct relay_msg){.op = RELAY_ENDED, .flow = 778, .reason = RELAY_CLOSED});
    no_event(c);
    assert_true(relay_client_deadline_us(c) == TIME_NEVER);
    relay_client_free(c);
}

static void all_at_a_relay_ends_with_its_session(void **state) {
    (void)state;
    struct relay_client *c = client();
    const struct node_id id = relay_id(9);
    uint32_t request;
    (void)reserve_ok(c, RELAY_T0, home);
    (void)open_ok(c, RELAY_T0, home, 3, 777);
    (void)open_ok(c, RELAY_T0, other_home, 3, 777);
    incoming(c, RELAY_T0, home, 4, 1);
    (void)event(c, RELAY_EV_INCOMING);
    assert_int_equal(relay_client_open(c, RELAY_T0, home, &id, &request), 0);
    relay_client_relay_down(c, RELAY_T0, home);
    unsigned kinds = 0;
    struct relay_event e;
    while (relay_client_poll(c, &e)) {
        assert_int_equal(e.reason, RELAY_GONE);
        assert_int_equal(e.relay.index, home.index);
        kinds += 1u << 4 * e.kind;
    }
    assert_int_equal(kinds, 1u << 4 * RELAY_EV_UNRESERVED | 2u << 4 * RELAY_EV_ENDED |
                                1u << 4 * RELAY_EV_REFUSED);
    says_nothing(c, RELAY_T0);
    assert_null(relay_client_use(c, RELAY_T0, home, 777));
    assert_non_null(relay_client_use(c, RELAY_T0, other_home, 777));
    uint32_t at = 0;
    struct relay_flow f;
    assert_true(relay_client_each(c, &at, &f));
    assert_int_equal(f.relay.index, other_home.index);
    assert_false(relay_client_each(c, &at, &f));
    (void)reserve_ok(c, RELAY_T0, home); /* and begins anew */
    relay_client_free(c);
}

static void relays_and_flows_are_bounded(void **state) {
    (void)state;
    struct relay_client *c = client();
    for (uint32_t i = 0; i < RELAYS_MAX; i++)
        assert_int_equal(relay_client_reserve(c, RELAY_T0, (struct peer_ref){i, 1}), 0);
    assert_int_equal(relay_client_reserve(c, RELAY_T0, (struct peer_ref){999, 1}), ERR_FULL);
    const struct peer_ref first = {0, 1};
    uint32_t request;
    for (uint32_t i = 0; i < RELAY_HELD_MAX; i++) {
        const struct node_id id = relay_id(i);
        assert_int_equal(relay_client_open(c, RELAY_T0, first, &id, &request), 0);
    }
    const struct node_id id = relay_id(UINT32_MAX);
    assert_int_equal(relay_client_open(c, RELAY_T0, first, &id, &request), ERR_FULL);
    uint8_t out[RELAY_MSG_MAX_BYTES];
    struct peer_ref to;
    size_t len, n = 0;
    while (relay_client_next(c, RELAY_T0, &to, out, &len))
        n++;
    assert_int_equal(n, RELAYS_MAX + RELAY_HELD_MAX);
    relay_client_relay_down(c, RELAY_T0, first);
    for (uint32_t i = 0; i < RELAY_HELD_MAX; i++)
        (void)event(c, RELAY_EV_REFUSED);
    (void)event(c, RELAY_EV_UNRESERVED);
    assert_int_equal(relay_client_counters(c)->events_dropped, 0); /* there is room for that */
    assert_int_equal(relay_client_reserve(c, RELAY_T0, (struct peer_ref){999, 1}), 0);
    relay_client_free(c);
}

int main(void) {
    rnd = rand_seeded("relay_client", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reservation_is_asked_for_five_times_and_fails),
        cmocka_unit_test(a_reservation_that_is_taken_back_is_none),
        cmocka_unit_test(a_reservation_is_renewed_at_half_its_life),
        cmocka_unit_test(a_reservation_is_given_back_in_silence),
        cmocka_unit_test(a_flow_is_asked_for_five_times_and_fails),
        cmocka_unit_test(a_refusal_has_its_reason_at_once),
        cmocka_unit_test(a_flow_leads_to_its_peer_while_it_is_open),
        cmocka_unit_test(what_is_used_is_renewed_and_what_is_not_runs_out),
        cmocka_unit_test(an_offer_is_answered_each_time_it_is_made),
        cmocka_unit_test(offers_without_end_are_a_few_ids),
        cmocka_unit_test(a_relay_that_says_what_nobody_asked_changes_nothing),
        cmocka_unit_test(a_flow_the_relay_made_anew_ends_and_begins),
        cmocka_unit_test(a_flow_is_closed_until_the_relay_says_so),
        cmocka_unit_test(all_at_a_relay_ends_with_its_session),
        cmocka_unit_test(relays_and_flows_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
