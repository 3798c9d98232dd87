/* One that is called by many who mean nothing by it can be reached by the others. */
#include <stdlib.h>

#include "support_relay.h"

enum {
    VICTIM = 0,
    CALLER = 1,
    FLOOD = 100, /* and 63 more, of one address */
    FLOODERS = 64,
    RTT_US = 50 * RELAY_MS,
    STEP_US = 5 * RELAY_MS,
    ANSWERS = 4096,
};

static struct rand_state rnd;

struct answer {
    uint64_t at_us;
    uint32_t flow;
    bool accept;
};

/* As an endpoint takes records: 32 at once, then 50 a second. */
struct victim {
    uint64_t paid_us;
    struct answer answers[ANSWERS];
    unsigned first, count;
    unsigned heard, missed;
};

static bool takes(struct victim *v, uint64_t now_us) {
    const uint64_t from_us = v->paid_us > now_us ? v->paid_us : now_us;
    if (from_us - now_us > (RECORDS_BURST - 1) * RECORD_US) {
        v->missed++;
        return false;
    }
    v->paid_us = from_us + RECORD_US;
    v->heard++;
    return true;
}

static void crowd(struct relay_server *s, unsigned flooders) {
    const struct hop one =
        hop_udp(&(struct addr){.kind = ADDR_IPV4, .port = 1, .ip = {203, 0, 113, 9}}, 0);
    relay_crowd(s, RELAY_T0, 2);
    for (uint32_t i = 0; i < flooders; i++) {
        const struct node_id id = relay_id(FLOOD + i);
        assert_int_equal(relay_server_client_up(s, RELAY_T0, relay_peer(FLOOD + i), &id, &one), 0);
    }
}

/* What the relay has to say is heard; true: the caller's flow is open. */
static bool hear(struct relay_server *s, uint64_t now_us, struct victim *v) {
    uint32_t to;
    struct relay_msg m;
    bool opened = false;
    while (relay_hear(s, now_us, &to, &m)) {
        opened |= to == CALLER && m.op == RELAY_OPENED;
        if (to != VICTIM || !takes(v, now_us) || m.op != RELAY_INCOMING)
            continue;
        const struct node_id caller = relay_id(CALLER);
        v->answers[(v->first + v->count++) % ANSWERS] =
            (struct answer){now_us + RTT_US, m.flow, node_id_equal(&m.peer, &caller)};
    }
    return opened;
}

static void answer(struct relay_server *s, uint64_t now_us, struct victim *v) {
    for (; v->count > 0 && v->answers[v->first].at_us <= now_us; v->count--) {
        const struct answer *a = &v->answers[v->first];
        relay_say(s, now_us, VICTIM,
                  (struct relay_msg){.op = a->accept ? RELAY_ACCEPT : RELAY_REFUSE,
                                     .flow = a->flow,
                                     .reason = a->accept ? 0 : RELAY_DENIED});
        v->first = (v->first + 1) % ANSWERS;
    }
}

/* Each of the crowd asks ten times a second; the caller as a client does: five times, the interval
 * doubling, and gives up. Returns whether its flow was opened. */
static bool call(struct relay_server *s, uint64_t from_us, struct victim *v, unsigned flooders) {
    static const uint64_t tries_us[] = {0, 250, 750, 1750, 3750};
    unsigned tried = 0;
    bool opened = false;
    for (uint64_t us = 0; us < 7750 * RELAY_MS && !opened; us += STEP_US) {
        const uint64_t now_us = from_us + us;
        for (uint32_t i = 0; i < flooders; i++)
            if ((us / STEP_US + i) % 20 == 0)
                relay_ask(s, now_us, FLOOD + i, VICTIM);
        if (tried < 5 && us >= tries_us[tried] * RELAY_MS) {
            relay_ask(s, now_us, CALLER, VICTIM);
            tried++;
        }
        answer(s, now_us, v);
        opened = hear(s, now_us, v);
    }
    return opened;
}

static void a_crowd_of_one_address_keeps_no_caller_out(void **state) {
    (void)state;
    unsigned opened = 0;
    enum { ROUNDS = 20 };
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct relay_server *s = relay_alone(NULL, &rnd);
        struct victim *v = calloc(1, sizeof *v);
        crowd(s, FLOODERS);
        uint64_t now_us = RELAY_T0;
        for (unsigned n = 0; n < 400 + round; n++, now_us += STEP_US) { /* it has begun before */
            for (uint32_t i = 0; i < FLOODERS; i++)
                if ((n + i) % 20 == 0)
                    relay_ask(s, now_us, FLOOD + i, VICTIM);
            answer(s, now_us, v);
            (void)hear(s, now_us, v);
        }
        opened += call(s, now_us, v, FLOODERS);
        if (round == 0)
            print_message("heard %u, missed %u\n", v->heard, v->missed);
        free(v);
        relay_server_free(s);
    }
    print_message("%u of %u opened\n", opened, ROUNDS);
    assert_int_equal(opened, ROUNDS);
}

/* And of those that wait for an answer it has not the others' places. */
static void offers_of_one_address_give_way_first(void **state) {
    (void)state;
    struct relay_server *s = relay_alone(NULL, &rnd);
    crowd(s, FLOODERS);
    relay_ask(s, RELAY_T0, CALLER, VICTIM);
    const uint32_t flow = relay_expect(s, RELAY_T0, VICTIM, RELAY_INCOMING).flow;
    struct relay_msg m;
    uint32_t to;
    for (uint32_t i = 0; i < FLOODERS; i++)
        relay_ask(s, RELAY_T0 + i * (uint64_t)RELAY_S / 20, FLOOD + i, VICTIM);
    while (relay_hear(s, RELAY_T0 + 4 * RELAY_S, &to, &m))
        assert_int_not_equal(to, CALLER);
    relay_say(s, RELAY_T0, VICTIM, (struct relay_msg){.op = RELAY_ACCEPT, .flow = flow});
    (void)relay_expect(s, RELAY_T0, CALLER, RELAY_OPENED);
    relay_server_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crowd_of_one_address_keeps_no_caller_out),
        cmocka_unit_test(offers_of_one_address_give_way_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
