/* Queues of a relay: bounded by time and bytes, fair by bytes, trains kept, nothing held up by a
 * socket that is full, no memory left behind. */
#include <stdlib.h>

#include "support_relay.h"

enum { PKT = 1200, FLOWS = 50 };

static uint8_t out[TRAIN_MAX_BYTES];

static struct relay_queues queues(uint64_t late_us, uint32_t per_fifo, uint32_t all) {
    struct relay_queues q;
    relay_queues_init(&q, &(struct relay_queue_bounds){late_us, per_fifo, all, 160 * 1000});
    return q;
}

static bool push(struct relay_queues *q, struct relay_fifo *f, uint64_t now_us, size_t len,
                 uint16_t segment, uint32_t mark) {
    uint8_t *to = relay_queue_push(q, f, now_us, len, segment, 0);
    if (!to)
        return false;
    memset(to, 0, len);
    for (size_t at = 0; at < len; at += segment)
        store_le32(to + at, mark);
    return true;
}

static void drop_all(struct relay_queues *q, struct relay_fifo *f, unsigned n) {
    for (unsigned i = 0; i < n; i++)
        relay_queue_drop(q, &f[i]);
    assert_int_equal(q->bytes, 0);
    assert_int_equal(q->active, 0);
    assert_null(q->turn.first);
    assert_int_equal(q->aside_mask, 0);
    relay_queues_clear(q);
    assert_int_equal(q->memory_bytes, 0);
}

static void trains_of_the_same_shape_leave_as_one_and_others_do_not(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 1 << 20, 1 << 24);
    struct relay_fifo f = {.socket = -1};
    static const struct {
        size_t len;
        uint16_t segment;
        uint8_t ecn;
    } in[] = {
        {3 * PKT, PKT, 0},
        {PKT, PKT, 0},
        {2 * PKT + 5, PKT, 0}, /* the short one is last */
        {PKT, PKT, 0},
        {PKT, PKT, 1}, /* another mark */
        {4 * 500, 500, 1},
        {64 * 40, 40, 1},
        {40, 40, 1}, /* 64 is a train's most */
        {RELAY_TRAIN_BYTES, RELAY_TRAIN_BYTES, 0},
    };
    static const size_t want[] = {6 * PKT + 5, PKT, PKT, 2000, 64 * 40, 40, RELAY_TRAIN_BYTES};
    for (unsigned i = 0; i < sizeof in / sizeof *in; i++)
        assert_non_null(relay_queue_push(&q, &f, RELAY_T0, in[i].len, in[i].segment, in[i].ecn));
    struct relay_pulled p = {0};
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++) {
        assert_true(relay_queue_pull(&q, RELAY_T0, 0, out, &p));
        assert_int_equal(p.len, want[i]);
    }
    assert_false(relay_queue_pull(&q, RELAY_T0, 0, out, &p));
    drop_all(&q, &f, 1);
}

/* FLOWS flows offer more than leaves: each gets the same bytes, whatever the size of its packets
 * and runs, and none of those that leave has waited longer than the bound. */
static void bytes_are_shared_evenly_and_nothing_leaves_late(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 1 << 20, 16 << 20);
    struct relay_fifo f[FLOWS];
    uint64_t got[FLOWS] = {0}, longest_us = 0, now_us = RELAY_T0, sent = 0;
    for (unsigned i = 0; i < FLOWS; i++)
        f[i] = (struct relay_fifo){.socket = -1};
    for (unsigned ms = 0; ms < 4000; ms++, now_us += 1000) {
        for (unsigned i = 0; i < FLOWS; i++) { /* together twice what leaves; i % 5 has most */
            const uint16_t segment = (uint16_t)(i % 3 == 0 ? 200 : i % 3 == 1 ? 1200 : 1400);
            const unsigned period = 1 + i % 4;
            if (ms % period == 0) {
                const size_t len = (size_t)500 * period * (i % 5 == 0 ? 4 : 1);
                (void)push(&q, &f[i], now_us, (len + segment - 1) / segment * segment, segment,
                           (uint32_t)(now_us - RELAY_T0));
            }
        }
        for (uint64_t budget = (uint64_t)(ms + 1) * 12500; sent < budget;) { /* 100 Mbit/s */
            struct relay_pulled p = {0};
            if (!relay_queue_pull(&q, now_us, 0, out, &p))
                break;
            sent += p.len;
            if (ms >= 500)
                got[p.of - f] += p.len;
            for (size_t at = 0; at < p.len; at += p.segment_bytes) {
                const uint64_t waited_us = now_us - RELAY_T0 - load_le32(out + at);
                longest_us = waited_us > longest_us ? waited_us : longest_us;
            }
        }
    }
    uint64_t least = UINT64_MAX, most = 0;
    for (unsigned i = 0; i < FLOWS; i++) {
        least = got[i] < least ? got[i] : least;
        most = got[i] > most ? got[i] : most;
    }
    printf("50 flows: most/least %.3f, longest wait %.1f ms, late %u, full %u\n",
           (double)most / (double)least, (double)longest_us / 1000, (unsigned)q.late,
           (unsigned)q.full);
    assert_true(most <= least * 12 / 10);
    assert_true(longest_us <= 50 * RELAY_MS);
    assert_true(sent >= (uint64_t)3990 * 12500); /* and nothing of the rate is left unused */
    drop_all(&q, f, FLOWS);
}

/* One sender that fills the queue and follows losses like Reno: CoDel keeps the wait at its target,
 * far below the bound, and the link stays busy. */
static void a_sender_that_heeds_losses_has_a_short_queue(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 1 << 20, 16 << 20);
    struct relay_fifo f = {.socket = -1};
    enum { RTT_MS = 40, SECONDS = 60 };
    uint64_t waits_us = 0, waits = 0, sent = 0, lost = 0, now_us = RELAY_T0;
    double window = 50, credit = 0; /* packets */
    for (unsigned ms = 0; ms < SECONDS * 1000; ms++, now_us += 1000) {
        for (credit += window / RTT_MS; credit >= 1; credit--)
            (void)push(&q, &f, now_us, PKT, PKT, (uint32_t)(now_us - RELAY_T0));
        for (uint64_t budget = (uint64_t)(ms + 1) * 1250; sent + PKT <= budget;) { /* 10 Mbit/s */
            struct relay_pulled p = {0};
            f.deficit_bytes = PKT; /* one at a time, as a link of this rate takes them */
            if (!relay_queue_pull(&q, now_us, 0, out, &p)) {
                sent = budget; /* an idle moment is gone */
                break;
            }
            sent += p.len;
            window += (double)p.len / PKT / window;
            if (ms > 10000) {
                waits_us += now_us - RELAY_T0 - load_le32(out);
                waits++;
            }
        }
        if (q.late + q.full > lost) {
            lost = q.late + q.full;
            window = window > 8 ? window / 2 : 4;
        }
    }
    const double mean_ms = (double)waits_us / (double)waits / 1000;
    const double busy = (double)waits * PKT / ((SECONDS - 10) * 1250000.0);
    printf("codel: mean wait %.1f ms, busy %.3f, lost %u\n", mean_ms, busy, (unsigned)lost);
    assert_true(mean_ms < 20 && busy > 0.85);
    drop_all(&q, &f, 1);
}

static void a_long_queue_leaves_room_to_others(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 1 << 20, 4 << 20);
    struct relay_fifo f[40];
    for (unsigned i = 0; i < 40; i++)
        f[i] = (struct relay_fifo){.socket = -1};
    for (unsigned i = 0; i < 30; i++) { /* each as much as it can */
        unsigned n = 0;
        while (push(&q, &f[i], RELAY_T0, 10 * PKT, PKT, 0))
            n++;
        assert_true((n > 0 || i > 0) && f[i].bytes <= 1 << 20);
    }
    assert_true(q.bytes <= 4 << 20);
    for (unsigned i = 30; i < 40; i++) /* and others still find a place */
        for (unsigned k = 0; k < 2; k++)
            assert_true(push(&q, &f[i], RELAY_T0, PKT, PKT, 0));
    assert_int_equal(q.full, 30 * 10);
    drop_all(&q, f, 40);
}

static void what_waits_behind_a_full_socket_is_bounded_and_goes_when_it_is_late(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 1 << 20, 4 << 20);
    struct relay_fifo f = {.socket = 3};
    struct relay_pulled p = {0};
    unsigned n = 0;
    while (push(&q, &f, RELAY_T0, 10 * PKT, PKT, 1))
        n++;
    assert_false(relay_queue_pull(&q, RELAY_T0, 1u << 3, out, &p));
    assert_false(push(&q, &f, RELAY_T0 + 50 * RELAY_MS, 10 * PKT, PKT, 2));
    assert_true(push(&q, &f, RELAY_T0 + 51 * RELAY_MS, 10 * PKT, PKT, 2)); /* the old ones go */
    assert_int_equal(q.late, 10 * n);
    assert_false(relay_queue_pull(&q, RELAY_T0 + 51 * RELAY_MS, 1u << 3, out, &p));
    relay_queue_moved(&q, &f, 4); /* its client came by another one */
    assert_true(relay_queue_pull(&q, RELAY_T0 + 51 * RELAY_MS, 1u << 3, out, &p));
    assert_true(p.len == 10 * PKT && load_le32(out) == 2);
    drop_all(&q, &f, 1);
}

static void chunks_are_kept_for_the_next_ones_but_not_all(void **state) {
    (void)state;
    struct relay_queues q = queues(50 * RELAY_MS, 64 << 20, 64 << 20);
    struct relay_fifo f = {.socket = -1};
    for (unsigned i = 0; i < 400; i++)
        assert_true(push(&q, &f, RELAY_T0, 50 * PKT, PKT, 0));
    assert_true(q.memory_bytes >= 400 * 65536);
    relay_queue_drop(&q, &f);
    assert_int_equal(q.memory_bytes, RELAY_CHUNKS_KEPT_BYTES);
    for (unsigned i = 0; i < 32; i++)
        assert_true(push(&q, &f, RELAY_T0, 50 * PKT, PKT, 0));
    assert_int_equal(q.memory_bytes, RELAY_CHUNKS_KEPT_BYTES);
    drop_all(&q, &f, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trains_of_the_same_shape_leave_as_one_and_others_do_not),
        cmocka_unit_test(bytes_are_shared_evenly_and_nothing_leaves_late),
        cmocka_unit_test(a_sender_that_heeds_losses_has_a_short_queue),
        cmocka_unit_test(a_long_queue_leaves_room_to_others),
        cmocka_unit_test(what_waits_behind_a_full_socket_is_bounded_and_goes_when_it_is_late),
        cmocka_unit_test(chunks_are_kept_for_the_next_ones_but_not_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
