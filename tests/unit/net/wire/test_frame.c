/* Frames come back as they were written, fit into their packet, and are refused when they are
 * wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/wire/frame.h"
#include "support_rand.h"

static const struct ecn_counts no_marks;

static void an_ack_comes_back_as_it_was(void **state) {
    (void)state;
    struct ranges r;
    ranges_init(&r, 64);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(ranges_add(&r, i * 100, i * 100 + 1 + i), 0);
    uint8_t buf[512];
    struct wr w = wr_init(buf, sizeof buf);
    assert_true(frame_write_ack(&w, &r, 12345, &no_marks, sizeof buf));
    struct rd in = rd_init(buf, wr_len(&w));
    struct frame_ack a;
    assert_int_equal(rd_u8(&in), FRAME_ACK);
    assert_true(frame_read_ack(&in, FRAME_ACK, &a));
    assert_int_equal(rd_left(&in), 0);
    assert_int_equal(a.delay_us, 12345);
    assert_int_equal(a.count, 20);
    for (unsigned i = 0; i < a.count; i++) {
        struct range x = ranges_at(&r, 19 - i);
        assert_true(a.ranges[i].lo == x.lo && a.ranges[i].hi == x.hi);
    }
    /* With less room the newest ranges are kept. */
    for (size_t room = 1; room < wr_len(&w); room++) {
        uint8_t small[512];
        struct wr s = wr_init(small, sizeof small);
        if (!frame_write_ack(&s, &r, 12345, &no_marks, room)) {
            assert_int_equal(wr_len(&s), 0);
            continue;
        }
        assert_true(wr_len(&s) <= room);
        struct rd t = rd_init(small + 1, wr_len(&s) - 1);
        assert_true(frame_read_ack(&t, FRAME_ACK, &a));
        assert_int_equal(a.largest, 1919);
    }
    ranges_clear(&r);
}

/* Any set of ranges, any room: the newest that fit come back, and no truncation of it passes. */
static void any_ack_comes_back_and_none_is_cut_short(void **state) {
    (void)state;
    struct rand_state rnd = rand_seeded("ack", 1);
    for (int round = 0; round < 300; round++) {
        struct ranges set;
        ranges_init(&set, 2 * ACK_RANGES_MAX);
        uint64_t at = rand_u64(&rnd) >> (2 + rand_below(&rnd, 60)) >> 1;
        for (uint64_t n = 1 + rand_below(&rnd, ACK_RANGES_MAX + 8); n > 0; n--) {
            uint64_t len = 1 + (rand_u64(&rnd) >> (34 + rand_below(&rnd, 30)));
            assert_int_equal(ranges_add(&set, at, at + len), 0);
            at += len + 1 + (rand_u64(&rnd) >> (34 + rand_below(&rnd, 30)));
        }
        uint8_t buf[2048];
        size_t room = 1 + (size_t)rand_below(&rnd, 400);
        uint64_t delay_us = rand_u64(&rnd) >> 30;
        struct ecn_counts marks = {0};
        if (round % 2 == 1)
            marks = (struct ecn_counts){rand_u64(&rnd) >> (2 + rand_below(&rnd, 60)),
                                        rand_below(&rnd, 2), rand_u64(&rnd) >> 40};
        const bool counted = ecn_has_counts(&marks);
        struct wr w = wr_init(buf, sizeof buf);
        if (frame_write_ack(&w, &set, delay_us, &marks, room)) {
            size_t len = wr_len(&w) - 1;
            assert_int_equal(buf[0], counted ? FRAME_ACK_ECN : FRAME_ACK);
            assert_true(len < room);
            for (size_t cut = 0; cut <= len; cut++) {
                uint8_t *exact = malloc(cut ? cut : 1); /* a read beyond it is seen */
                assert_non_null(exact);
                memcpy(exact, buf + 1, cut);
                struct rd r = rd_init(exact, cut);
                struct frame_ack a;
                assert_true(frame_read_ack(&r, buf[0], &a) == (cut == len));
                if (cut == len) {
                    assert_int_equal(rd_left(&r), 0);
                    assert_true(a.has_ecn == counted);
                }
                if (cut == len && counted)
                    assert_true(a.ecn.ect0 == marks.ect0 && a.ecn.ect1 == marks.ect1 &&
                                a.ecn.ce == marks.ce);
                for (unsigned i = 0; cut == len && i < a.count; i++) {
                    struct range want = ranges_at(&set, set.count - 1 - i);
                    assert_true(a.ranges[i].lo == want.lo && a.ranges[i].hi == want.hi);
                }
                assert_true(cut < len || (a.delay_us == delay_us && a.count <= ACK_RANGES_MAX));
                free(exact);
            }
        }
        ranges_clear(&set);
    }
}

static void an_ack_that_counts_below_zero_is_refused(void **state) {
    (void)state;
    static const struct {
        uint8_t bytes[8];
        size_t len;
    } bad[] = {
        {{5, 0, 0, 6}, 4},       /* first range longer than the largest */
        {{5, 0, 1, 0, 4, 0}, 6}, /* gap below zero */
        {{5, 0, 1, 2, 0, 2}, 6}, /* range below zero */
        {{5, 0, 2, 0, 0, 0}, 6}, /* a range is missing */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct rd r = rd_init(bad[i].bytes, bad[i].len);
        struct frame_ack a;
        assert_false(frame_read_ack(&r, FRAME_ACK, &a));
        assert_false(r.ok);
    }
    static const uint8_t good[] = {5, 0, 1, 0, 0, 2};
    struct rd r = rd_init(good, sizeof good);
    struct frame_ack a;
    assert_true(frame_read_ack(&r, FRAME_ACK, &a));
    assert_true(a.ranges[1].lo == 1 && a.ranges[1].hi == 4);
}

static void stream_frames_stay_inside_the_packet(void **state) {
    (void)state;
    uint8_t buf[64];
    struct wr w = wr_init(buf, sizeof buf);
    frame_write_stream_header(&w, 4, 1000, 10, true);
    wr_bytes(&w, "0123456789", 10);
    assert_int_equal(wr_len(&w), frame_stream_overhead(4, 1000, 10) + 10);
    for (size_t cut = 0; cut <= wr_len(&w); cut++) {
        struct rd r = rd_init(buf, cut);
        struct frame_stream f;
        uint8_t type = rd_u8(&r);
        bool ok = frame_read_stream(&r, type, &f);
        assert_true(ok == (cut == wr_len(&w)));
    }
    struct rd r = rd_init(buf, wr_len(&w));
    struct frame_stream f;
    assert_true(frame_read_stream(&r, rd_u8(&r), &f));
    assert_true(f.id == 4 && f.offset == 1000 && f.len == 10 && f.fin);
    assert_memory_equal(f.data, "0123456789", 10);
    /* An end beyond 2^62. */
    static const uint8_t far[] = {0x0e, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1, 'x'};
    r = rd_init(far, sizeof far);
    assert_false(frame_read_stream(&r, rd_u8(&r), &f));
}

static void a_record_comes_back_and_none_is_cut_short(void **state) {
    (void)state;
    static const size_t sizes[] = {0, 1, 63, 64, RECORD_MAX_BYTES};
    uint8_t data[RECORD_MAX_BYTES], buf[RECORD_MAX_BYTES + 8];
    memset(data, 7, sizeof data);
    for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        struct wr w = wr_init(buf, sizeof buf);
        frame_write_record(&w, data, sizes[i]);
        assert_true(w.ok);
        const size_t len = wr_len(&w);
        const uint8_t *got;
        size_t n;
        struct rd r = rd_init(buf + 1, len - 1);
        assert_int_equal(buf[0], FRAME_RECORD);
        assert_true(frame_read_record(&r, &got, &n));
        assert_int_equal(n, sizes[i]);
        assert_int_equal(rd_left(&r), 0);
        assert_true(frames_are_records(buf, len));
        buf[len] = FRAME_PADDING;
        assert_true(frames_are_records(buf, len + 1));
        buf[len] = FRAME_PING;
        assert_false(frames_are_records(buf, len + 1));
        for (size_t cut = 1; cut < len; cut++) {
            r = rd_init(buf + 1, cut - 1);
            assert_false(frame_read_record(&r, &got, &n));
            assert_false(frames_are_records(buf, cut));
        }
    }
    assert_false(frames_are_records(buf, 0));
    static const uint8_t padding[3] = {FRAME_PADDING};
    assert_false(frames_are_records(padding, sizeof padding));
    struct wr w = wr_init(buf, sizeof buf);
    wr_varint(&w, RECORD_MAX_BYTES + 1); /* too long, though the packet has it */
    struct rd r = rd_init(buf, sizeof buf);
    const uint8_t *got;
    size_t n;
    assert_false(frame_read_record(&r, &got, &n));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ack_comes_back_as_it_was),
        cmocka_unit_test(any_ack_comes_back_and_none_is_cut_short),
        cmocka_unit_test(an_ack_that_counts_below_zero_is_refused),
        cmocka_unit_test(stream_frames_stay_inside_the_packet),
        cmocka_unit_test(a_record_comes_back_and_none_is_cut_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
