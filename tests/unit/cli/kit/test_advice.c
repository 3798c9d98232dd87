/* What meshctl advises: of every error, on every side, for every thing that was wanted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "cli/kit/advice.h"

static const int errors[] = {
#define X(sym, num, name, code, text) sym,
    ERR_LIST(X)
#undef X
        - 12345,
};
enum { ERRORS = sizeof errors / sizeof *errors };

static bool has(const char *text, const char *part) {
    return strstr(text, part) != NULL;
}

/* Advice that is of use on this machine only. */
static bool is_for_here(const char *text) {
    static const char *const all[] = {"--out",
                                      "meshd's user",
                                      "meshd's log",
                                      "free some space on",
                                      "free some space where",
                                      "; free some space",
                                      "transfers ls",
                                      "ulimit -n, or Limit",
                                      "of meshd.conf",
                                      "status shows"};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (has(text, all[i]) && !has(text, "ask them"))
            return true;
    return false;
}

static void check(enum advice_op op, int err, const struct cause *c) {
    char text[ADVICE_SAY_MAX];
    const struct failure f = {err, *c, NULL, "thing"};
    advice_say(text, op, &f);
    assert_true(strlen(text) > 10);
    assert_true(has(text, "\"thing\""));
    if (c->side == SIDE_PEER) {
        assert_true(has(text, "peer"));
        if (is_for_here(text))
            fail_msg("of the peer, but advice for here: %s", text);
        if (!advice(op, err, c, "") && err != ERR_AGAIN)
            fail_msg("of the peer, and nothing to ask them: %s", text);
    }
    if (op != ADVICE_RECV && op != ADVICE_NUMBER && has(text, "--out"))
        fail_msg("--out for what takes none: %s", text);
    if (op == ADVICE_TICKET || op == ADVICE_ADD || op == ADVICE_MESSAGE || op == ADVICE_CONTACT)
        if (c->limit == LIMIT_NONE && (has(text, "transfers ls") || has(text, "directory with")))
            fail_msg("files, where there are none: %s", text);
    if (has(text, "--timeout") && (op == ADVICE_TICKET || op == ADVICE_CONTACT))
        fail_msg("--timeout for what takes none: %s", text);
}

static void no_advice_is_for_the_wrong_machine_or_the_wrong_thing(void **state) {
    (void)state;
    for (unsigned op = 0; op < ADVICE_OPS; op++)
        for (unsigned i = 0; i < ERRORS; i++)
            for (unsigned side = 0; side < SIDES; side++)
                check((enum advice_op)op, errors[i], &(struct cause){.side = (enum side)side});
}

static void every_limit_has_its_advice_here_and_there(void **state) {
    (void)state;
    for (unsigned l = 1; l < LIMITS; l++)
        for (unsigned op = 0; op < ADVICE_OPS; op++)
            for (unsigned side = 0; side < SIDES; side++) {
                const struct cause c = {(enum side)side, (enum limit)l, 9};
                const char *key = limit_key(c.limit);
                check((enum advice_op)op, limit_err(c.limit), &c);
                const char *text = advice((enum advice_op)op, limit_err(c.limit), &c, "");
                assert_non_null(text);
                assert_true(!key[0] || (has(text, key) && has(text, "meshd.conf")));
            }
}

static const char *say(char out[static ADVICE_SAY_MAX], enum advice_op op, int err, enum side side,
                       const char *detail) {
    const struct failure f = {err, {.side = side}, NULL, detail};
    advice_say(out, op, &f);
    return out;
}

static void the_sentences_that_people_meet_most(void **state) {
    (void)state;
    char text[ADVICE_SAY_MAX];
    assert_string_equal(say(text, ADVICE_SEND, ERR_DISK, SIDE_PEER, ""),
                        "the peer's disk is full, or a quota there is used up; ask them to free "
                        "some space, or to receive into another directory");
    assert_string_equal(say(text, ADVICE_RECV, ERR_DISK, SIDE_LOCAL, ""),
                        "the disk is full here, or a quota is used up; free some space, or choose "
                        "another directory with --out");
    assert_true(has(say(text, ADVICE_TICKET, ERR_DISK, SIDE_LOCAL, ""), "status shows where"));
    assert_true(has(say(text, ADVICE_MESSAGE, ERR_DISK, SIDE_LOCAL, ""), "status shows where"));
    assert_string_equal(
        say(text, ADVICE_RECV, ERR_CLOSED, SIDE_BETWEEN, "the connection to the peer was lost"),
        "the connection to the peer was lost; ask them to send it again");
    assert_true(has(say(text, ADVICE_SEND, ERR_NAME, SIDE_LOCAL, "a\\b"), "--as"));
    assert_true(has(say(text, ADVICE_SEND, ERR_UNSIZED, SIDE_LOCAL, "f"), "send the copy"));
    assert_true(has(say(text, ADVICE_RECV, ERR_CHANGED, SIDE_PEER, "f"), "ask them to send"));
    assert_true(has(say(text, ADVICE_SEND, ERR_NOT_FOUND, SIDE_LOCAL, "/a"), "check the path"));
    assert_true(has(say(text, ADVICE_SEND, ERR_NOT_FOUND, SIDE_PEER, "/a"), "ask them"));
    assert_true(has(say(text, ADVICE_SEND, ERR_REFUSED, SIDE_PEER, ""), "meshctl recv"));
    assert_false(has(say(text, ADVICE_ADD, ERR_TICKET, SIDE_PEER, "ticket"), "\"ticket\""));
}

static void methods_are_for_something(void **state) {
    (void)state;
    static const struct {
        const char *method;
        enum advice_op op;
    } all[] = {
        {"transfer.send", ADVICE_SEND},
        {"transfer.accept", ADVICE_NUMBER},
        {"transfer.cancel", ADVICE_NUMBER},
        {"recv.start", ADVICE_RECV},
        {"message.send", ADVICE_MESSAGE},
        {"ticket.new", ADVICE_TICKET},
        {"contact.add", ADVICE_ADD},
        {"contact.list", ADVICE_CONTACT},
        {"peer.list", ADVICE_CONTACT},
        {"peer.ping", ADVICE_PEER},
        {"wait", ADVICE_PEER},
        {"status", ADVICE_OTHER},
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        assert_int_equal(advice_op(all[i].method), all[i].op);
}

/* What the daemon sends is what is shown, also by one that knows more, or less. */
static void an_error_map_is_read_as_it_was_written(void **state) {
    (void)state;
    const struct failure f = {ERR_FULL, {SIDE_PEER, LIMIT_QUOTA, 1 << 20}, NULL, "bob"};
    struct proto_writer w;
    msgpack_zone zone;
    msgpack_object o;
    size_t off = 0;
    char text[ADVICE_SAY_MAX / 2], detail[256];
    assert_true(msgpack_zone_init(&zone, 1024));
    proto_writer_init(&w, 4096);
    proto_failure(&w, NULL, &f);
    assert_int_equal(msgpack_unpack((const char *)w.buf, w.len, &off, &zone, &o),
                     MSGPACK_UNPACK_SUCCESS);
    struct failure back = advice_failure(&o, text, detail);
    assert_int_equal(back.err, f.err);
    assert_int_equal(back.cause.side, SIDE_PEER);
    assert_int_equal(back.cause.limit, LIMIT_QUOTA);
    assert_int_equal(back.cause.max, 1 << 20);
    assert_string_equal(back.detail, "bob");
    assert_string_equal(back.text, "this node's messages fill their quota at the peer (1 MiB at "
                                   "most, quota in their meshd.conf)");
    back = advice_failure(NULL, text, detail);
    assert_int_equal(back.err, ERR_FAILED);
    assert_null(back.text);
    msgpack_zone_destroy(&zone);
    proto_writer_clear(&w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_advice_is_for_the_wrong_machine_or_the_wrong_thing),
        cmocka_unit_test(every_limit_has_its_advice_here_and_there),
        cmocka_unit_test(the_sentences_that_people_meet_most),
        cmocka_unit_test(methods_are_for_something),
        cmocka_unit_test(an_error_map_is_read_as_it_was_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
