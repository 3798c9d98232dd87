/* Cursors stay inside their bytes, an error sticks, and integers are those of the specification. */
#include <string.h>

#include "crypto/base/bytes.h"
#include "tests/unit/crypto/support_crypto.h"

static void integers_are_little_endian(void **state) {
    (void)state;
    uint8_t buf[15];
    struct wr w = wr_init(buf, sizeof buf);
    wr_u8(&w, 0x01);
    wr_u16(&w, 0x0302);
    wr_u32(&w, 0x07060504);
    wr_u64(&w, UINT64_C(0x0f0e0d0c0b0a0908));
    assert_true(w.ok);
    assert_int_equal(wr_len(&w), 15);
    assert_int_equal(wr_left(&w), 0);
    for (size_t i = 0; i < sizeof buf; i++)
        assert_int_equal(buf[i], i + 1);

    struct rd r = rd_init(buf, sizeof buf);
    assert_int_equal(rd_u8(&r), 0x01);
    assert_int_equal(rd_u16(&r), 0x0302);
    assert_int_equal(rd_u32(&r), 0x07060504);
    assert_int_equal(rd_u64(&r), UINT64_C(0x0f0e0d0c0b0a0908));
    assert_true(r.ok);
    assert_int_equal(rd_left(&r), 0);
}

/* RFC 9000 §A.1, and the edges of each size. */
static const struct {
    uint64_t value;
    const char *hex;
} varints[] = {
    {UINT64_C(151288809941952652), "c2197c5eff14e88c"},
    {494878333, "9d7f3e7d"},
    {15293, "7bbd"},
    {37, "25"},
    {0, "00"},
    {0x3f, "3f"},
    {0x40, "4040"},
    {0x3fff, "7fff"},
    {0x4000, "80004000"},
    {0x3fffffff, "bfffffff"},
    {0x40000000, "c000000040000000"},
    {VARINT_MAX, "ffffffffffffffff"},
};

static void varints_are_those_of_rfc_9000(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof varints / sizeof varints[0]; i++) {
        uint8_t want[8], buf[8];
        size_t n = unhex(want, sizeof want, varints[i].hex);
        struct wr w = wr_init(buf, sizeof buf);
        wr_varint(&w, varints[i].value);
        assert_true(w.ok);
        assert_int_equal(wr_len(&w), n);
        assert_int_equal(varint_size(varints[i].value), n);
        assert_memory_equal(buf, want, n);
        struct rd r = rd_init(want, n);
        assert_true(rd_varint(&r) == varints[i].value);
        assert_true(r.ok && rd_left(&r) == 0);
    }
}

static void a_longer_varint_than_needed_is_read(void **state) {
    (void)state;
    const uint8_t two[] = {0x40, 0x25};
    struct rd r = rd_init(two, sizeof two);
    assert_int_equal(rd_varint(&r), 37);
    assert_true(r.ok);
}

static void a_varint_above_62_bits_is_not_written(void **state) {
    (void)state;
    uint8_t buf[16];
    struct wr w = wr_init(buf, sizeof buf);
    wr_varint(&w, VARINT_MAX + 1);
    assert_false(w.ok);
    assert_int_equal(wr_len(&w), 0);
}

static void a_cut_varint_is_an_error(void **state) {
    (void)state;
    const uint8_t full[8] = {0xc2, 0x19, 0x7c, 0x5e, 0xff, 0x14, 0xe8, 0x8c};
    for (size_t n = 0; n < sizeof full; n++) {
        struct rd r = rd_init(full, n);
        assert_int_equal(rd_varint(&r), 0);
        assert_false(r.ok);
    }
}

static void a_read_past_the_end_sticks(void **state) {
    (void)state;
    const uint8_t buf[3] = {1, 2, 3};
    struct rd r = rd_init(buf, sizeof buf);
    assert_int_equal(rd_u32(&r), 0);
    assert_false(r.ok);
    assert_int_equal(rd_u8(&r), 0); /* there is a byte, but the reader has failed */
    assert_int_equal(rd_left(&r), 0);
    assert_null(rd_take(&r, 0));
    assert_int_equal(rd_varint(&r), 0);
    uint8_t out[2] = {9, 9};
    rd_bytes(&r, out, sizeof out);
    assert_int_equal(out[0] | out[1], 0);
}

static void a_write_past_the_end_sticks_and_writes_nothing(void **state) {
    (void)state;
    uint8_t buf[4] = {7, 7, 7, 7};
    struct wr w = wr_init(buf, 3);
    wr_u8(&w, 1);
    wr_u32(&w, 0);
    assert_false(w.ok);
    wr_u8(&w, 2);
    wr_zero(&w, 1);
    wr_bytes(&w, "x", 1);
    assert_int_equal(wr_len(&w), 1);
    assert_int_equal(wr_left(&w), 0);
    const uint8_t want[4] = {1, 7, 7, 7};
    assert_memory_equal(buf, want, sizeof want);
}

static void no_bytes_at_all_is_fine(void **state) {
    (void)state;
    uint8_t buf[1];
    struct wr w = wr_init(buf, 0);
    wr_bytes(&w, NULL, 0);
    wr_zero(&w, 0);
    assert_true(w.ok);
    struct rd r = rd_init(buf, 0);
    assert_non_null(rd_take(&r, 0));
    assert_true(r.ok);
}

static void bytes_and_zeroes_come_back(void **state) {
    (void)state;
    uint8_t buf[8];
    memset(buf, 0xff, sizeof buf);
    struct wr w = wr_init(buf, sizeof buf);
    wr_bytes(&w, "abc", 3);
    wr_zero(&w, 2);
    uint8_t *room = wr_room(&w, 3);
    assert_non_null(room);
    memcpy(room, "def", 3);
    assert_true(w.ok);
    assert_memory_equal(buf, "abc\0\0def", 8);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_are_little_endian),
        cmocka_unit_test(varints_are_those_of_rfc_9000),
        cmocka_unit_test(a_longer_varint_than_needed_is_read),
        cmocka_unit_test(a_varint_above_62_bits_is_not_written),
        cmocka_unit_test(a_cut_varint_is_an_error),
        cmocka_unit_test(a_read_past_the_end_sticks),
        cmocka_unit_test(a_write_past_the_end_sticks_and_writes_nothing),
        cmocka_unit_test(no_bytes_at_all_is_fine),
        cmocka_unit_test(bytes_and_zeroes_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
