/* Whose error it is, and which limit was met: every sentence, every number (node/api/cause.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/api/cause.h"
#include "node/channel/reply.h"

static const int errors[] = {
#define X(sym, num, name, code, text) sym,
    ERR_LIST(X)
#undef X
};
enum { ERRORS = sizeof errors / sizeof *errors };

static const enum limit limits[] = {
#define X(sym, num, name, err, bytes, key, here, peer) sym,
    LIMIT_LIST(X)
#undef X
};
enum { LIMIT_COUNT = sizeof limits / sizeof *limits };

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

static void every_error_of_every_side_has_a_sentence_of_that_side(void **state) {
    (void)state;
    char text[CAUSE_TEXT_MAX], other[CAUSE_TEXT_MAX];
    for (unsigned i = 0; i < ERRORS; i++) {
        cause_text(text, errors[i], &(struct cause){.side = SIDE_PEER});
        assert_true(strlen(text) > 10);
        assert_true(has(text, "peer"));
        cause_text(other, errors[i], &(struct cause){.side = SIDE_LOCAL});
        assert_true(strlen(other) > 10);
        if (!has(other, "peer")) /* what is only ever about the peer is so on both sides */
            assert_string_not_equal(text, other);
        cause_text(other, errors[i], &(struct cause){.side = SIDE_BETWEEN});
        assert_string_equal(other, errors[i] == ERR_PROTO
                                       ? "the two nodes do not understand each other"
                                       : err_text(errors[i]));
    }
    cause_text(text, -12345, &(struct cause){.side = SIDE_PEER});
    assert_true(has(text, "peer"));
    cause_text(text, -12345, &(struct cause){.side = SIDE_LOCAL});
    assert_true(strlen(text) > 10);
}

static void the_side_follows_from_who_says_it(void **state) {
    (void)state;
    static const struct {
        int err;
        enum side here, said;
    } all[] = {
        {ERR_DISK, SIDE_LOCAL, SIDE_PEER},
        {ERR_PERM, SIDE_LOCAL, SIDE_PEER},
        {ERR_FULL, SIDE_LOCAL, SIDE_PEER},
        {ERR_EXISTS, SIDE_LOCAL, SIDE_PEER},
        {ERR_IO, SIDE_LOCAL, SIDE_PEER},
        {ERR_NOMEM, SIDE_LOCAL, SIDE_PEER},
        {ERR_REFUSED, SIDE_LOCAL, SIDE_PEER},
        {ERR_CANCELLED, SIDE_LOCAL, SIDE_PEER},
        {ERR_CHANGED, SIDE_LOCAL, SIDE_PEER},
        {ERR_UNSIZED, SIDE_LOCAL, SIDE_PEER},
        {ERR_NOT_FOUND, SIDE_LOCAL, SIDE_PEER},
        {ERR_PROTO, SIDE_PEER, SIDE_BETWEEN},
        {ERR_INTEGRITY, SIDE_BETWEEN, SIDE_BETWEEN},
        {ERR_OFFLINE, SIDE_BETWEEN, SIDE_PEER},
        {ERR_CLOSED, SIDE_BETWEEN, SIDE_PEER},
        {ERR_TIMEOUT, SIDE_BETWEEN, SIDE_PEER},
        {ERR_AUTH, SIDE_BETWEEN, SIDE_PEER},
        {ERR_TICKET, SIDE_BETWEEN, SIDE_PEER},
        {ERR_UNKNOWN, SIDE_BETWEEN, SIDE_PEER},
        {ERR_SECRET, SIDE_BETWEEN, SIDE_PEER},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        assert_int_equal(cause_here(all[i].err).side, all[i].here);
        assert_int_equal(cause_said(all[i].err, LIMIT_NONE, 0).side, all[i].said);
    }
    for (unsigned i = 0; i < SIDES; i++)
        assert_int_equal(side_by_name(side_name((enum side)i)), i);
    assert_int_equal(side_by_name("elsewhere"), SIDE_LOCAL);
}

/* Here and there: which one, how large it is, and what sets it, or that nothing does. */
static void every_limit_says_its_number_and_where_it_is_set(void **state) {
    (void)state;
    char text[CAUSE_TEXT_MAX], there[CAUSE_TEXT_MAX];
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        const enum limit l = limits[i];
        struct cause c = {SIDE_LOCAL, l, 77};
        cause_text(text, limit_err(l), &c);
        c.side = SIDE_PEER;
        cause_text(there, limit_err(l), &c);
        assert_string_not_equal(text, there);
        assert_true(strlen(text) < CAUSE_TEXT_MAX - 1 && strlen(there) < CAUSE_TEXT_MAX - 1);
        if (limit_is_systems(l)) {
            assert_false(has(text, "meshd.conf") || has(there, "meshd.conf") || has(text, "fixed"));
            continue;
        }
        assert_true(has(text, "77") && has(there, "77"));
        const char *key = limit_key(l);
        assert_true(has(text, key[0] ? key : "fixed") && has(there, key[0] ? key : "fixed"));
        assert_true(!key[0] || has(there, "their meshd.conf"));
        c.max = 0; /* an older peer says no number */
        cause_text(there, limit_err(l), &c);
        assert_false(has(there, "at most"));
    }
    limit_text(text, LIMIT_QUOTA, 32 << 20);
    assert_string_equal(text, "32 MiB");
    limit_text(text, LIMIT_QUOTA, 1500);
    assert_string_equal(text, "1500 bytes");
    limit_text(text, LIMIT_TRANSFERS, 1024);
    assert_string_equal(text, "1024");
}

static void limits_have_one_number_and_one_name(void **state) {
    (void)state;
    assert_int_equal(LIMIT_COUNT, LIMITS - 1);
    for (unsigned i = 0; i < LIMIT_COUNT; i++) {
        assert_int_equal(limits[i], i + 1);
        assert_int_equal(limit_from_wire(limits[i]), limits[i]);
        assert_int_equal(limit_by_name(limit_name(limits[i])), limits[i]);
        assert_true(limit_err(limits[i]) < 0);
    }
    assert_int_equal(limit_from_wire(LIMITS), LIMIT_NONE);
    assert_int_equal(limit_from_wire(UINT64_MAX), LIMIT_NONE);
    assert_int_equal(limit_by_name("no such limit"), LIMIT_NONE);
    assert_int_equal(limit_by_name(""), LIMIT_NONE);
}

static void a_limit_that_does_not_belong_to_the_error_counts_as_none(void **state) {
    (void)state;
    const struct cause c = cause_said(ERR_DISK, LIMIT_QUOTA, 5);
    assert_int_equal(c.limit, LIMIT_NONE);
    assert_int_equal(c.max, 0);
    assert_int_equal(cause_said(ERR_FULL, LIMIT_QUOTA, 5).max, 5);
    assert_int_equal(cause_said(ERR_REFUSED, LIMIT_ACCEPT, 6).limit, LIMIT_ACCEPT);
}

static void an_answer_carries_the_limit(void **state) {
    (void)state;
    struct reply r = {.err = ERR_FULL, .limit = LIMIT_QUOTA, .max = 32 << 20}, back;
    uint8_t buf[REPLY_MAX_BYTES];
    size_t len;
    memset(r.file, 'f', REPLY_FILE_MAX);
    assert_int_equal(reply_encode(&r, buf, &len), 0);
    const size_t prefix = buf[0] >> 6 ? 2 : 1;
    assert_int_equal(reply_decode(&back, buf + prefix, len - prefix), 0);
    assert_int_equal(back.err, ERR_FULL);
    assert_int_equal(back.limit, LIMIT_QUOTA);
    assert_int_equal(back.max, 32 << 20);
    assert_string_equal(back.file, r.file);
    /* {"err": 12, "limit": 200, "max": 1}: of a newer peer; {"err": 12, "limit": "x"}: of
     * nobody. */
    static const uint8_t newer[] = "\x83\xa3"
                                   "err\x0c\xa5"
                                   "limit\xcc\xc8\xa3"
                                   "max\x01";
    static const uint8_t wrong[] = "\x82\xa3"
                                   "err\x0c\xa5"
                                   "limit\xa1x";
    assert_int_equal(reply_decode(&back, newer, sizeof newer - 1), 0);
    assert_int_equal(back.limit, LIMIT_NONE);
    assert_int_equal(back.err, ERR_FULL);
    assert_int_equal(reply_decode(&back, wrong, sizeof wrong - 1), ERR_PROTO);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error_of_every_side_has_a_sentence_of_that_side),
        cmocka_unit_test(the_side_follows_from_who_says_it),
        cmocka_unit_test(every_limit_says_its_number_and_where_it_is_set),
        cmocka_unit_test(limits_have_one_number_and_one_name),
        cmocka_unit_test(a_limit_that_does_not_belong_to_the_error_counts_as_none),
        cmocka_unit_test(an_answer_carries_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
