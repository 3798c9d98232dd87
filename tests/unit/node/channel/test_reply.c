/* Answers as they come on a stream, in whatever pieces (node/channel/reply). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node/base/turn.h"
#include "node/channel/reply.h"
#include "support_pair.h"

enum { MS = 1000 };

struct line {
    struct pair *p;
    struct session_ref s[2];
    uint64_t stream;
    struct turn turn; /* of side 1, who reads */
    struct reply_in in;
};

static struct line line_new(void) {
    struct line l = {.p = pair_new(1)};
    pair_start(l.p, 0);
    pair_know(l.p, 0, NULL, false);
    pair_know(l.p, 1, NULL, false);
    pair_connect(l.p, l.s);
    assert_int_equal(stream_open(l.p->ep[0], l.s[0], &l.stream), 0);
    l.turn.ep = l.p->ep[1];
    reply_in_init(&l.in, l.s[1], l.stream);
    return l;
}

static void line_free(struct line *l) {
    reply_in_clear(&l->in);
    pair_free(l->p);
}

static void put(struct line *l, const void *bytes, size_t len) {
    size_t taken = 0;
    assert_int_equal(stream_write(l->p->ep[0], l->s[0], l->stream, bytes, len, &taken), 0);
    assert_int_equal(taken, len);
    pair_run(l->p, 50 * MS, -1, -1);
    l->turn.now_us = l->p->now_us;
}

static void each_answer_comes_once_it_is_whole(void **state) {
    (void)state;
    struct line l = line_new();
    const struct reply said[] = {{0},
                                 {.has_files = true, .files = 7},
                                 {.err = ERR_EXISTS, .file = "a b"},
                                 {.err = ERR_FULL, .limit = LIMIT_OFFERS, .max = 48}};
    struct reply r;
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_AGAIN);
    for (unsigned i = 0; i < sizeof said / sizeof *said; i++) {
        uint8_t buf[REPLY_MAX_BYTES];
        size_t len;
        assert_int_equal(reply_encode(&said[i], buf, &len), 0);
        for (size_t at = 0; at < len; at++) {
            put(&l, buf + at, 1);
            assert_int_equal(reply_in_next(&l.in, &l.turn, &r), at + 1 < len ? ERR_AGAIN : 0);
        }
        assert_int_equal(r.err, said[i].err);
        assert_int_equal(r.files, said[i].files);
        assert_string_equal(r.file, said[i].file);
        assert_int_equal(r.limit, said[i].limit);
        assert_int_equal(r.max, said[i].max);
    }
    line_free(&l);
}

static void two_that_come_together_are_two(void **state) {
    (void)state;
    struct line l = line_new();
    const struct reply yes = {0};
    uint8_t buf[2 * REPLY_MAX_BYTES];
    size_t one, two;
    struct reply r;
    assert_int_equal(reply_encode(&yes, buf, &one), 0);
    assert_int_equal(reply_encode(&yes, buf + one, &two), 0);
    put(&l, buf, one + two);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), 0);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), 0);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_AGAIN);
    line_free(&l);
}

static void what_is_none_is_said(void **state) {
    (void)state;
    static const uint8_t no_map[] = {1, 0x07}, too_long[] = {0x44, 0x01};
    struct reply r;
    struct line l = line_new();
    put(&l, no_map, sizeof no_map);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_PROTO);
    line_free(&l);
    l = line_new();
    put(&l, too_long, sizeof too_long); /* 1025 bytes */
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_PROTO);
    line_free(&l);
    l = line_new();
    put(&l, no_map, 1);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_AGAIN);
    assert_int_equal(stream_finish(l.p->ep[0], l.s[0], l.stream), 0);
    pair_run(l.p, 50 * MS, -1, -1);
    assert_int_equal(reply_in_next(&l.in, &l.turn, &r), ERR_CLOSED);
    line_free(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_answer_comes_once_it_is_whole),
        cmocka_unit_test(two_that_come_together_are_two),
        cmocka_unit_test(what_is_none_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
