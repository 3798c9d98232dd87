/* The control socket's language: framing in any pieces, limits before memory, writer and reader
 * agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "node/api/rpc/control_proto.h"

enum { LIMIT = 1 << 20 };

static uint64_t rng_state = 1;

static uint32_t draw(void) {
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    rng_state ^= rng_state << 17;
    return (uint32_t)(rng_state >> 32);
}

static void make_request(struct proto_writer *w, uint32_t id) {
    proto_request(w, id, "transfer.send");
    proto_map(w, NULL);
    proto_str(w, "contact", "bob");
    proto_array(w, "paths");
    for (int i = 0; i < 20; i++)
        proto_str(w, NULL, "/tmp/some/file");
    proto_end(w);
    proto_uint(w, "timeout_us", UINT64_MAX);
    proto_bool(w, "yes", true);
    proto_nil(w, "nothing");
    proto_end(w);
}

static void check_request(const struct proto_msg *m, uint32_t id) {
    size_t len;
    assert_int_equal(m->kind, PROTO_REQUEST);
    assert_true(m->has_id);
    assert_int_equal(m->id, id);
    assert_string_equal(m->method, "transfer.send");
    const char *contact = proto_get_str(&m->params, "contact", &len);
    assert_int_equal(len, 3);
    assert_memory_equal(contact, "bob", 3);
    assert_int_equal(proto_get(&m->params, "paths")->via.array.size, 20);
    assert_true(proto_str_is(proto_at(proto_get(&m->params, "paths"), 19), "/tmp/some/file"));
    assert_null(proto_at(proto_get(&m->params, "paths"), 20));
    assert_true(proto_get_uint(&m->params, "timeout_us", 0) == UINT64_MAX);
    assert_true(proto_get_bool(&m->params, "yes"));
    assert_false(proto_get_bool(&m->params, "no"));
    assert_int_equal(proto_get(&m->params, "nothing")->type, MSGPACK_OBJECT_NIL);
}

static void feed_all(struct proto_reader *r, const uint8_t *buf, size_t len) {
    while (len > 0) {
        long n = proto_reader_feed(r, buf, len);
        assert_true(n > 0);
        buf += n;
        len -= (size_t)n;
    }
}

/* What the reader says about these bytes after everything has been fed: 1, 0 or an error. */
static int verdict(const void *bytes, size_t len, size_t limit, struct proto_msg *m) {
    struct proto_reader r;
    proto_reader_init(&r, limit);
    feed_all(&r, bytes, len);
    int got = proto_reader_next(&r, m);
    proto_reader_clear(&r);
    return got;
}

static void any_split_gives_the_same_messages(void **state) {
    (void)state;
    struct proto_writer w;
    proto_writer_init(&w, LIMIT);
    for (uint32_t i = 0; i < 5; i++)
        make_request(&w, i * 1000000);
    assert_true(w.ok);
    for (size_t piece = 1; piece < 300; piece += piece < 20 ? 1 : 41) {
        struct proto_reader r;
        struct proto_msg m;
        uint32_t seen = 0;
        proto_reader_init(&r, LIMIT);
        for (size_t at = 0; at < w.len; at += piece) {
            feed_all(&r, w.buf + at, piece < w.len - at ? piece : w.len - at);
            while (proto_reader_next(&r, &m) > 0) {
                check_request(&m, seen++ * 1000000);
                proto_msg_clear(&m);
            }
        }
        assert_int_equal(seen, 5);
        proto_reader_clear(&r);
    }
    proto_writer_clear(&w);
}

static void responses_and_notifications_are_told_apart(void **state) {
    (void)state;
    struct proto_writer w;
    struct proto_msg m;
    struct proto_reader r;
    proto_writer_init(&w, LIMIT);
    proto_response(&w, 7);
    proto_map(&w, NULL);
    proto_uint(&w, "seq", 3);
    proto_end(&w);
    proto_error(&w, 8, ERR_NOT_FOUND, NULL, "bob");
    proto_notify(&w, "event");
    proto_map(&w, NULL);
    proto_str(&w, "event", "peer.up");
    proto_end(&w);
    proto_reader_init(&r, LIMIT);
    feed_all(&r, w.buf, w.len);

    assert_int_equal(proto_reader_next(&r, &m), 1);
    assert_int_equal(m.kind, PROTO_RESPONSE);
    assert_int_equal(m.id, 7);
    assert_int_equal(m.error.type, MSGPACK_OBJECT_NIL);
    assert_int_equal(proto_get_uint(&m.result, "seq", 0), 3);
    proto_msg_clear(&m);

    char text[64];
    assert_int_equal(proto_reader_next(&r, &m), 1);
    assert_int_equal(m.id, 8);
    assert_true(proto_copy_str(&m.error, "code", text, sizeof text));
    assert_string_equal(text, "not_found");
    assert_int_equal(proto_get_uint(&m.error, "num", 0), 4);
    assert_true(proto_copy_str(&m.error, "text", text, sizeof text));
    assert_string_equal(text, err_text(ERR_NOT_FOUND));
    assert_true(proto_copy_str(&m.error, "detail", text, sizeof text));
    assert_string_equal(text, "bob");
    assert_true(proto_copy_str(&m.error, "detail", text, 3));
    assert_string_equal(text, "bo");
    proto_msg_clear(&m);

    assert_int_equal(proto_reader_next(&r, &m), 1);
    assert_int_equal(m.kind, PROTO_NOTIFY);
    assert_string_equal(m.method, "event");
    proto_msg_clear(&m);
    assert_int_equal(proto_reader_next(&r, &m), 0);
    proto_reader_clear(&r);
    proto_writer_clear(&w);
}

/* Each of these promises far more than it brings, or nests: refused from the header alone. */
static void promises_are_refused_before_memory_is_taken(void **state) {
    (void)state;
    static const struct {
        const char *bytes;
        size_t len;
        int verdict;
    } cases[] = {
        {"\xdd\xff\xff\xff\xff", 5, ERR_FULL},                          /* array of 2^32 - 1 */
        {"\xdf\xff\xff\xff\xff", 5, ERR_FULL},                          /* map of 2^32 - 1 */
        {"\xdb\xff\xff\xff\xff", 5, ERR_FULL},                          /* string of 4 GiB */
        {"\xc6\x7f\xff\xff\xff", 5, ERR_FULL},                          /* binary of 2 GiB */
        {"\x94\x00\x01\xdb\xff\xff\xff\xff", 8, ERR_FULL},              /* as a method */
        {"\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91", 11, ERR_FULL}, /* depth */
        {"\xc1", 1, ERR_PROTO},                                         /* never used */
        {"\xd4\x01\x02", 3, ERR_PROTO},                                 /* extension */
        {"\xc7\x00\x01", 3, ERR_PROTO},
        {"\xdd\xff\xff\xff", 4, 0}, /* header incomplete */
        {"\xc0", 1, ERR_PROTO},     /* nil is no message */
        {"\x90", 1, ERR_PROTO},
        {"\x93\x00\x01\xa1x", 5, ERR_PROTO},     /* a request of three */
        {"\x94\x03\x01\xa1x\x80", 6, ERR_PROTO}, /* kind 3 */
        {"\x94\x00\xff\xa1x\x80", 6, ERR_PROTO}, /* id -1 */
        {"\x94\x00\xcf\x00\x00\x00\x01\x00\x00\x00\x00\xa1x\x80", 14, ERR_PROTO}, /* id 2^32 */
        {"\x94\x00\x01\x05\x80", 5, ERR_PROTO},                                   /* method 5 */
        {"\x94\x00\x01\xa2x\x00\x80", 7, ERR_PROTO}, /* NUL in the method */
        {"\x94\x00\x01\xa1x\x80", 6, 1},
        {"\x94\x00\x01\xa1x\xcb\x00\x00\x00\x00\x00\x00\x00\x00", 14, 1}, /* params: a float */
        {"\xdc\x00\x04\xcc\x00\xce\x00\x00\x00\x01\xd9\x01x\xde\x00\x00", 17, 1}, /* long forms */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_msg m;
        int got = verdict(cases[i].bytes, cases[i].len, LIMIT, &m);
        if (got != cases[i].verdict)
            print_error("case %zu: %d\n", i, got);
        assert_int_equal(got, cases[i].verdict);
        proto_msg_clear(&m);
    }
}

static void a_broken_request_tells_its_id(void **state) {
    (void)state;
    struct proto_msg m;
    assert_int_equal(verdict("\x94\x00\xcd\x01\x02\xc1", 6, LIMIT, &m), ERR_PROTO);
    assert_true(m.has_id);
    assert_int_equal(m.id, 0x102);
    assert_int_equal(
        verdict("\xdd\x00\x00\x00\x04\x00\xce\x00\x01\x00\x00\xdb\xff\xff\xff\xff", 16, LIMIT, &m),
        ERR_FULL);
    assert_true(m.has_id);
    assert_int_equal(m.id, 0x10000);
    assert_int_equal(verdict("\x94\x01\x05\xc1", 4, LIMIT, &m), ERR_PROTO);
    assert_false(m.has_id);
    assert_int_equal(verdict("\x84\x00\x05\xc1", 4, LIMIT, &m), ERR_PROTO);
    assert_false(m.has_id);
}

static void a_message_up_to_the_limit_passes_and_one_more_byte_does_not(void **state) {
    (void)state;
    for (int over = 0; over <= 1; over++) {
        struct proto_writer w;
        struct proto_msg m;
        size_t body = 4096;
        char *text = calloc(1, body);
        proto_writer_init(&w, LIMIT);
        proto_request(&w, 1, "x");
        proto_strn(&w, NULL, text, body);
        assert_int_equal(verdict(w.buf, w.len, w.len - (size_t)over, &m), over ? ERR_FULL : 1);
        proto_msg_clear(&m);
        proto_writer_clear(&w);
        free(text);
    }
}

static void too_many_values_are_refused(void **state) {
    (void)state;
    struct proto_writer w;
    struct proto_msg m;
    for (int over = 0; over <= 1; over++) {
        /* The outer array, its three other elements and the inner array count too. */
        unsigned n = PROTO_ITEMS_MAX - 6 + (over ? 2 : 0);
        proto_writer_init(&w, LIMIT);
        proto_request(&w, 1, "x");
        proto_array(&w, NULL);
        for (unsigned i = 0; i < n; i++)
            proto_nil(&w, NULL);
        proto_end(&w);
        assert_true(w.ok);
        assert_int_equal(verdict(w.buf, w.len, LIMIT, &m), over ? ERR_FULL : 1);
        proto_msg_clear(&m);
        proto_writer_clear(&w);
    }
}

static void the_writer_stops_at_its_limit(void **state) {
    (void)state;
    struct proto_writer w;
    proto_writer_init(&w, 100);
    proto_request(&w, 1, "x");
    proto_array(&w, NULL);
    for (int i = 0; i < 200; i++)
        proto_uint(&w, NULL, 5);
    proto_end(&w);
    assert_false(w.ok);
    assert_true(w.len <= 100);
    proto_writer_reset(&w);
    for (int i = 0; i <= PROTO_DEPTH_MAX; i++)
        proto_array(&w, NULL);
    assert_false(w.ok);
    proto_writer_clear(&w);
    proto_writer_clear(&w);
}

/* Random bytes, half of them with a valid start, fed in random pieces: no crash, no memory beyond
 * the limit. */
static void garbage_never_passes_as_more_than_it_is(void **state) {
    (void)state;
    for (int round = 0; round < 100000; round++) {
        uint8_t buf[256];
        struct proto_reader r;
        size_t len = draw() % sizeof buf;
        for (size_t i = 0; i < len; i++)
            buf[i] = (uint8_t)draw();
        if (round & 1 && len > 8)
            memcpy(buf, "\x94\x00\x01\xa2id", 6);
        proto_reader_init(&r, 200);
        for (size_t at = 0; at < len;) {
            struct proto_msg m;
            size_t piece = 1 + draw() % 64;
            feed_all(&r, buf + at, piece < len - at ? piece : len - at);
            at += piece;
            int got;
            while ((got = proto_reader_next(&r, &m)) > 0)
                proto_msg_clear(&m);
            proto_msg_clear(&m);
            if (got < 0)
                break;
        }
        assert_true(r.in.cap <= 4096);
        proto_reader_clear(&r);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_split_gives_the_same_messages),
        cmocka_unit_test(responses_and_notifications_are_told_apart),
        cmocka_unit_test(promises_are_refused_before_memory_is_taken),
        cmocka_unit_test(a_broken_request_tells_its_id),
        cmocka_unit_test(a_message_up_to_the_limit_passes_and_one_more_byte_does_not),
        cmocka_unit_test(too_many_values_are_refused),
        cmocka_unit_test(the_writer_stops_at_its_limit),
        cmocka_unit_test(garbage_never_passes_as_more_than_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
