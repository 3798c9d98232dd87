/* The parts under the simulated world: order of events, links, draws, the store; and reading
 * scenarios. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sim/disk/store_mem.h"
#include "sim/engine/draw.h"
#include "sim/engine/heap.h"
#include "sim/link/link.h"
#include "sim/scenario/scenario.h"

static void events_come_by_time_then_source_then_number(void **state) {
    (void)state;
    struct heap h = {0};
    uint64_t x = 1;
    for (unsigned i = 0; i < 5000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
        struct event e = {.time_ns = (x >> 40) % 50, .source = (uint32_t)(x >> 33) % 7, .seq = i};
        heap_push(&h, &e);
    }
    struct event last, e;
    assert_true(heap_pop(&h, &last));
    for (unsigned i = 1; i < 5000; i++) {
        assert_true(heap_pop(&h, &e));
        assert_true(e.time_ns > last.time_ns ||
                    (e.time_ns == last.time_ns &&
                     (e.source > last.source || (e.source == last.source && e.seq > last.seq))));
        last = e;
    }
    assert_false(heap_pop(&h, &e));
    heap_clear(&h);
}

static void a_link_serialises_queues_and_drops(void **state) {
    (void)state;
    struct draw d;
    struct link l;
    struct link_out out;
    draw_init(&d, 1);
    link_init(&l, &d, 1);
    l.cfg.rate_bps = 8000000; /* a byte per microsecond */
    l.cfg.delay_ns = 1000000;
    l.cfg.queue_ns = 0;
    l.cfg.queue_bytes = 3000;
    unsigned passed = 0;
    for (unsigned i = 0; i < 10; i++) {
        link_pass(&l, 0, 1000, &out);
        if (out.fate == FATE_DELIVERED) {
            passed++;
            assert_int_equal(out.at_ns, passed * 1000000 + 1000000);
        } else {
            assert_int_equal(out.fate, FATE_QUEUE);
        }
    }
    assert_true(passed >= 3 && passed <= 4);
    link_pass(&l, 10000000, 1501, &out);
    assert_int_equal(out.fate, FATE_MTU);
    link_pass(&l, 10000000, 1500, &out);
    assert_int_equal(out.fate, FATE_DELIVERED);
}

/* RFC 8289 §5.1: one packet of 1500 bytes takes 12 ms at 1 Mbit/s, more than the target, and is no
 * queue. */
static void codel_lets_a_slow_link_send_one_packet_at_a_time(void **state) {
    (void)state;
    struct draw d;
    struct link l;
    struct link_out out;
    draw_init(&d, 1);
    link_init(&l, &d, 1);
    l.cfg.rate_bps = 1000000;
    l.cfg.codel_ns = 5000000;
    unsigned dropped = 0;
    for (unsigned i = 0; i < 100; i++) {
        link_pass(&l, (uint64_t)i * 24000000, 1500, &out);
        dropped += out.fate != FATE_DELIVERED;
        link_pass(&l, (uint64_t)i * 24000000, 1500, &out);
        dropped += out.fate != FATE_DELIVERED;
    }
    assert_int_equal(dropped, 0);
    for (unsigned i = 0; i < 1000; i++) { /* but three at a time are too many */
        link_pass(&l, UINT64_C(3000000000) + (uint64_t)i * 11000000, 1500, &out);
        dropped += out.fate == FATE_CODEL;
    }
    assert_true(dropped > 0);
}

static void no_bursts_any_more_means_none(void **state) {
    (void)state;
    struct draw d;
    struct link l;
    struct link_out out;
    draw_init(&d, 1);
    link_init(&l, &d, 1);
    l.cfg.burst_enter_ppb = l.cfg.burst_loss_ppb = DRAW_ALWAYS_PPB;
    link_pass(&l, 0, 100, &out);
    assert_int_equal(out.fate, FATE_BURST);
    l.cfg.burst_enter_ppb = 0;
    link_pass(&l, 0, 100, &out);
    assert_int_equal(out.fate, FATE_DELIVERED);
    l.cfg.burst_enter_ppb = 1;
    link_pass(&l, 0, 100, &out);
    assert_int_equal(out.fate, FATE_DELIVERED);
}

static void losses_are_as_frequent_as_asked_and_the_same_each_time(void **state) {
    (void)state;
    struct draw d;
    struct link a, b;
    struct link_out x, y;
    draw_init(&d, 7);
    link_init(&a, &d, 3);
    link_init(&b, &d, 3);
    a.cfg.loss_ppb = b.cfg.loss_ppb = 20000000; /* 2 % */
    b.cfg.duplicate_ppb = 500000000; /* another fault does not shift the first one's draws */
    unsigned lost = 0;
    for (unsigned i = 0; i < 100000; i++) {
        link_pass(&a, i, 100, &x);
        link_pass(&b, i, 100, &y);
        assert_int_equal(x.fate, y.fate);
        lost += x.fate == FATE_LOSS;
    }
    assert_in_range(lost, 1800, 2200);
}

static void the_store_keeps_order_and_can_fail(void **state) {
    (void)state;
    struct store_mem *m = store_mem_new();
    struct store s = store_mem_face(m);
    uint8_t key[STORE_KEY_MAX], value[8];
    size_t key_len = 0, len;
    assert_int_equal(s.put(s.ctx, "t", "b", 1, "2", 1), 0);
    assert_int_equal(s.put(s.ctx, "t", "a", 1, "1", 1), 0);
    assert_int_equal(s.put(s.ctx, "t", "ab", 2, "3", 1), 0);
    assert_int_equal(s.put(s.ctx, "u", "aa", 2, "4", 1), 0);
    char seen[8] = {0};
    while (s.next(s.ctx, "t", key, &key_len, value, sizeof value, &len) == 0)
        seen[strlen(seen)] = (char)value[0];
    assert_string_equal(seen, "132");
    assert_int_equal(s.get(s.ctx, "t", "c", 1, value, sizeof value, &len), ERR_NOT_FOUND);
    store_mem_fail(m, 0, ERR_DISK);
    assert_int_equal(s.put(s.ctx, "t", "c", 1, "5", 1), ERR_DISK);
    assert_int_equal(s.get(s.ctx, "t", "c", 1, value, sizeof value, &len), ERR_NOT_FOUND);
    store_mem_free(m);
}

static void scenarios_are_read_and_mistakes_have_a_place(void **state) {
    (void)state;
    struct scenario sc;
    struct problem p;
    assert_true(scenario_parse(&sc,
                               "seed 5 ; for 10s # comment\nnode a b\ncontacts all\nlet n = 3\n"
                               "at 1s message a b 3x\nexpect message.delivered == $n\n",
                               NULL, 0, &p));
    assert_true(sc.seed == 5 && sc.host_count == 2 && sc.expect_count == 1);
    assert_string_equal(sc.expects[0].value_text, "3");
    scenario_clear(&sc);
    static const struct {
        const char *text;
        unsigned line;
    } bad[] = {
        {"seed x\n", 1},
        {"for 10s\nnode a\nat 1s transfer a zz 1MiB\n", 3},
        {"for 10s\nnode a b\nlink a delay=fast\n", 3},
        {"for 10s\nnode a b\nexpect transfer.done ~ 1\n", 3},
        {"for 10s\nnode a a\n", 2},
        {"frobnicate\n", 1},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(scenario_parse(&sc, bad[i].text, NULL, 0, &p));
        assert_int_equal(p.at.line, bad[i].line);
        assert_true(p.text[0] != 0);
        scenario_clear(&sc);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_come_by_time_then_source_then_number),
        cmocka_unit_test(a_link_serialises_queues_and_drops),
        cmocka_unit_test(codel_lets_a_slow_link_send_one_packet_at_a_time),
        cmocka_unit_test(no_bursts_any_more_means_none),
        cmocka_unit_test(losses_are_as_frequent_as_asked_and_the_same_each_time),
        cmocka_unit_test(the_store_keeps_order_and_can_fail),
        cmocka_unit_test(scenarios_are_read_and_mistakes_have_a_place),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
