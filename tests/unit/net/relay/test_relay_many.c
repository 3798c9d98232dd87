/* Ten thousand flows, and fifty that want more than there is. */
#include <stdlib.h>

#include "support_relay.h"

static struct rand_state rnd;
static uint8_t buf[TRAIN_MAX_BYTES];

/* Twenty thousand clients in pairs, each pair with a flow both of whose ends have sent. */
static void ten_thousand_flows_take_less_than_20_mebibytes(void **state) {
    (void)state;
    enum { FLOWS = 10000 };
    struct relay_limits l = relay_limits_default();
    l.clients = 2 * FLOWS;
    l.bytes_per_s = 0;
    struct relay_server *s = relay_alone(&l, &rnd);
    uint32_t *numbers = calloc(FLOWS, sizeof *numbers);
    assert_non_null(numbers);
    uint64_t pkts = 0;
    for (uint32_t i = 0; i < 2 * FLOWS; i++)
        relay_up(s, RELAY_T0, i);
    for (uint32_t i = 0; i < FLOWS; i++) {
        relay_reserve_ok(s, RELAY_T0, 2 * i + 1);
        numbers[i] = relay_flow_up(s, RELAY_T0, 2 * i, 2 * i + 1).from;
    }
    for (uint32_t i = 0; i < FLOWS; i++) /* all at once */
        relay_forward_one(s, RELAY_T0, 2 * i, numbers[i], 100, 0);
    struct train t = {.buf = buf};
    const struct relay_stats st = relay_stats_of(s);
    while (relay_server_output(s, RELAY_T0, &t))
        pkts++;
    printf("%u flows: %.1f KiB\n", st.flows, (double)st.memory_bytes / 1024);
    assert_int_equal(pkts, FLOWS);
    assert_true(st.memory_bytes <= 20 << 20);
    relay_server_free(s);
    free(numbers);
}

/* Fifty senders offer three times the relay's 100 Mbit/s, in runs and packets of different sizes:
 * each gets its share, what comes out has waited 50 ms at most, and as much leaves as may. */
static void fifty_flows_have_the_same_share_of_the_capacity(void **state) {
    (void)state;
    enum { FLOWS = 50, MS = 3000, WARM_MS = 300 };
    struct relay_server *s = relay_alone(NULL, &rnd);
    uint32_t numbers[FLOWS];
    uint64_t got[2 * FLOWS] = {0}, longest_us = 0, all = 0;
    relay_crowd(s, RELAY_T0, 2 * FLOWS);
    for (uint32_t i = 0; i < FLOWS; i++)
        numbers[i] = relay_flow_up(s, RELAY_T0, 2 * i, 2 * i + 1).from;
    static uint8_t run[16 * 1400];
    uint64_t now_us = RELAY_T0, next_us[FLOWS] = {0};
    for (; now_us < RELAY_T0 + MS * UINT64_C(1000); now_us += 250) {
        for (uint32_t i = 0; i < FLOWS; i++) {
            const size_t segment = 300 + 100 * (i % 11), count = 1 + i % 16;
            if (now_us < next_us[i])
                continue;
            next_us[i] = now_us + segment * count * 1000000 / 750000; /* 750 kB/s each */
            for (size_t k = 0; k < count; k++)
                relay_packet(run + k * segment, segment, numbers[i], (uint32_t)now_us);
            const struct hop from = relay_hop(2 * i);
            relay_forward_run(s, now_us, &from, run, count * segment, segment);
        }
        relay_server_timeout(s, now_us);
        struct train t = {.buf = buf};
        while (relay_server_output(s, now_us, &t)) {
            const uint32_t to = (uint32_t)t.to.udp.remote.ip[2];
            for (size_t at = 0; at < t.len; at += t.segment_bytes) {
                const uint64_t waited_us =
                    (uint32_t)now_us - load_le32(t.buf + at + FORWARD_HEADER_BYTES + 16);
                longest_us = waited_us > longest_us ? waited_us : longest_us;
            }
            if (now_us < RELAY_T0 + WARM_MS * UINT64_C(1000))
                continue;
            got[to] += t.len;
            all += t.len;
        }
    }
    uint64_t least = UINT64_MAX, most = 0;
    for (uint32_t i = 0; i < FLOWS; i++) {
        least = got[2 * i + 1] < least ? got[2 * i + 1] : least;
        most = got[2 * i + 1] > most ? got[2 * i + 1] : most;
    }
    const double rate = (double)all * 8 / 1000 / (MS - WARM_MS);
    printf("50 flows: most/least %.3f, longest wait %.1f ms, %.1f Mbit/s, load %u\n",
           (double)most / (double)least, (double)longest_us / 1000, rate, relay_stats_of(s).load);
    assert_true(most <= least * 12 / 10);
    assert_true(longest_us <= 50 * RELAY_MS);
    assert_true(rate >= 99 && rate <= 101);
    assert_true(relay_stats_of(s).load > 150);
    relay_server_free(s);
}

int main(void) {
    rnd = rand_seeded("relay_many", 1);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_flows_take_less_than_20_mebibytes),
        cmocka_unit_test(fifty_flows_have_the_same_share_of_the_capacity),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
