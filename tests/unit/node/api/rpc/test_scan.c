/* The scanner knows every format, says the same in any pieces, and stops at its bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <msgpack.h>
#include <string.h>

#include "node/api/rpc/scan.h"

static const struct scan_rules wide = {
    .bytes = 1 << 20, .values = 1000, .depth = 8, .pairs = 100, .extensions = true};

struct format {
    uint8_t bytes[12];
    size_t len; /* of the header */
    struct scan_head head;
};

static const struct format formats[] = {
    {{0x7f}, 1, {.kind = SCAN_UINT, .number = 127}},
    {{0xe0}, 1, {.kind = SCAN_NEGATIVE, .number = (uint64_t)-32}},
    {{0xff}, 1, {.kind = SCAN_NEGATIVE, .number = (uint64_t)-1}},
    {{0x8f}, 1, {.kind = SCAN_MAP, .children = 30}},
    {{0x9f}, 1, {.kind = SCAN_ARRAY, .children = 15}},
    {{0xbf}, 1, {.kind = SCAN_STR, .body = 31}},
    {{0xc0}, 1, {.kind = SCAN_OTHER}},
    {{0xc2}, 1, {.kind = SCAN_OTHER}},
    {{0xc3}, 1, {.kind = SCAN_OTHER}},
    {{0xc4, 9}, 2, {.kind = SCAN_BIN, .body = 9}},
    {{0xc5, 1, 2}, 3, {.kind = SCAN_BIN, .body = 0x102}},
    {{0xc6, 1, 2, 3, 4}, 5, {.kind = SCAN_BIN, .body = 0x1020304}},
    {{0xc7, 9}, 2, {.kind = SCAN_EXT, .body = 10}},
    {{0xc8, 1, 2}, 3, {.kind = SCAN_EXT, .body = 0x103}},
    {{0xc9, 1, 2, 3, 4}, 5, {.kind = SCAN_EXT, .body = 0x1020305}},
    {{0xca, 1, 2, 3, 4}, 5, {.kind = SCAN_OTHER}},
    {{0xcb, 1, 2, 3, 4, 5, 6, 7, 8}, 9, {.kind = SCAN_OTHER}},
    {{0xcc, 0xff}, 2, {.kind = SCAN_UINT, .number = 255}},
    {{0xcd, 1, 2}, 3, {.kind = SCAN_UINT, .number = 0x102}},
    {{0xce, 1, 2, 3, 4}, 5, {.kind = SCAN_UINT, .number = 0x1020304}},
    {{0xcf, 1, 2, 3, 4, 5, 6, 7, 8}, 9, {.kind = SCAN_UINT, .number = 0x102030405060708}},
    {{0xd0, 0x7f}, 2, {.kind = SCAN_UINT, .number = 127}},
    {{0xd0, 0x80}, 2, {.kind = SCAN_NEGATIVE, .number = (uint64_t)-128}},
    {{0xd1, 0xff, 0xfe}, 3, {.kind = SCAN_NEGATIVE, .number = (uint64_t)-2}},
    {{0xd2, 0, 0, 0, 5}, 5, {.kind = SCAN_UINT, .number = 5}},
    {{0xd3, 0x80}, 9, {.kind = SCAN_NEGATIVE, .number = UINT64_C(1) << 63}},
    {{0xd4}, 1, {.kind = SCAN_EXT, .body = 2}},
    {{0xd8}, 1, {.kind = SCAN_EXT, .body = 17}},
    {{0xd9, 9}, 2, {.kind = SCAN_STR, .body = 9}},
    {{0xda, 1, 2}, 3, {.kind = SCAN_STR, .body = 0x102}},
    {{0xdb, 1, 2, 3, 4}, 5, {.kind = SCAN_STR, .body = 0x1020304}},
    {{0xdc, 1, 2}, 3, {.kind = SCAN_ARRAY, .children = 0x102}},
    {{0xdd, 1, 2, 3, 4}, 5, {.kind = SCAN_ARRAY, .children = 0x1020304}},
    {{0xde, 1, 2}, 3, {.kind = SCAN_MAP, .children = 0x204}},
    {{0xdf, 0xff, 0xff, 0xff, 0xff}, 5, {.kind = SCAN_MAP, .children = UINT64_C(0x1fffffffe)}},
};

static void every_format_is_read(void **state) {
    (void)state;
    struct scan_head h;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const struct format *f = &formats[i];
        for (size_t len = 1; len < f->len; len++) {
            assert_int_equal(scan_head(f->bytes, len, &h), 0);
            assert_int_equal(h.size, f->len);
        }
        assert_int_equal(scan_head(f->bytes, f->len, &h), 1);
        assert_int_equal(h.size, f->len);
        assert_int_equal(h.kind, f->head.kind);
        assert_true(h.number == f->head.number);
        assert_true(h.body == f->head.body);
        assert_true(h.children == f->head.children);
    }
    assert_int_equal(scan_head((const uint8_t *)"\xc1", 1, &h), ERR_PROTO);
}

static int whole(const struct scan_rules *rules, const void *p, size_t len) {
    struct scan s;
    scan_begin(&s);
    return scan_on(&s, rules, p, len);
}

static void any_pieces_say_the_same_and_msgpack_c_agrees_on_the_size(void **state) {
    (void)state;
    msgpack_sbuffer buf;
    msgpack_packer pk;
    msgpack_sbuffer_init(&buf);
    msgpack_packer_init(&pk, &buf, msgpack_sbuffer_write);
    msgpack_pack_map(&pk, 3);
    msgpack_pack_int(&pk, -5000);
    msgpack_pack_array(&pk, 2);
    msgpack_pack_double(&pk, 0.5);
    msgpack_pack_bin_with_body(&pk, "binary", 6);
    msgpack_pack_str_with_body(&pk, "key", 3);
    msgpack_pack_map(&pk, 0);
    msgpack_pack_nil(&pk);
    msgpack_pack_ext_with_body(&pk, "ext", 3, 1);
    struct scan s;
    scan_begin(&s);
    for (size_t n = 0; n < buf.size; n++) {
        assert_int_equal(scan_on(&s, &wide, (const uint8_t *)buf.data, n), 0);
        assert_int_equal(scan_on(&s, &wide, (const uint8_t *)buf.data, n), 0);
    }
    assert_int_equal(scan_on(&s, &wide, (const uint8_t *)buf.data, buf.size), 1);
    assert_int_equal(s.at, buf.size);
    assert_int_equal(s.values, 9);
    struct scan_rules none = wide;
    none.extensions = false;
    assert_int_equal(whole(&none, buf.data, buf.size), ERR_PROTO);
    msgpack_sbuffer_destroy(&buf);
}

static void bounds_are_met_before_the_bytes_come(void **state) {
    (void)state;
    struct scan_rules r = wide;
    assert_int_equal(whole(&r, "\xdd\xff\xff\xff\xff", 5), ERR_FULL);
    assert_int_equal(whole(&r, "\xdf\xff\xff\xff\xff", 5), ERR_FULL);
    assert_int_equal(whole(&r, "\xdb\xff\xff\xff\xff", 5), ERR_FULL);
    assert_int_equal(whole(&r, "\xc9\xff\xff\xff\xff", 5), ERR_FULL);
    assert_int_equal(whole(&r, "\xde\0\x65", 3), ERR_FULL); /* 101 pairs */
    assert_int_equal(whole(&r, "\xde\0\x64", 3), 0);
    r.values = 4;
    assert_int_equal(whole(&r, "\x93\1\2\3", 4), 1);
    assert_int_equal(whole(&r, "\x94\1\2\3\4", 5), ERR_FULL);
    assert_int_equal(whole(&r, "\x92\x91\1\x91\1", 5), ERR_FULL);
    r.bytes = 2;
    assert_int_equal(whole(&r, "\xa1x", 2), 1);
    assert_int_equal(whole(&r, "\xa2", 1), ERR_FULL);
}

static void containers_are_nested_as_deep_as_is_allowed(void **state) {
    (void)state;
    struct scan_rules r = wide;
    for (r.depth = 1; r.depth <= SCAN_DEPTH_MAX; r.depth++) {
        uint8_t deep[SCAN_DEPTH_MAX + 2];
        memset(deep, 0x91, sizeof deep);
        deep[r.depth] = 0xc0;
        assert_int_equal(whole(&r, deep, r.depth + 1), 1);
        deep[r.depth] = 0x90; /* an empty one is one, too */
        assert_int_equal(whole(&r, deep, r.depth + 1), ERR_FULL);
    }
}

static void nothing_that_it_accepts_is_refused_by_msgpack_c(void **state) {
    (void)state;
    uint64_t x = 88172645463325252u;
    for (unsigned round = 0; round < 200000; round++) {
        uint8_t in[24];
        for (size_t i = 0; i < sizeof in; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            in[i] = (uint8_t)(x >> 32);
        }
        struct scan s;
        scan_begin(&s);
        if (scan_on(&s, &wide, in, sizeof in) != 1)
            continue;
        assert_true(s.at <= sizeof in);
        msgpack_unpacked u;
        size_t off = 0;
        msgpack_unpacked_init(&u);
        assert_int_equal(msgpack_unpack_next(&u, (const char *)in, s.at, &off),
                         MSGPACK_UNPACK_SUCCESS);
        assert_int_equal(off, s.at);
        msgpack_unpacked_destroy(&u);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_format_is_read),
        cmocka_unit_test(any_pieces_say_the_same_and_msgpack_c_agrees_on_the_size),
        cmocka_unit_test(bounds_are_met_before_the_bytes_come),
        cmocka_unit_test(containers_are_nested_as_deep_as_is_allowed),
        cmocka_unit_test(nothing_that_it_accepts_is_refused_by_msgpack_c),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
