/* What contacts tell each other of their relays: one form, and nothing else is read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "net/base/limits.h"
#include "node/mesh/told.h"

static struct mesh_told homes(unsigned count) {
    struct mesh_told t = {.op = TOLD_HOMES, .sequence = 0x01020304};
    for (unsigned i = 0; i < count; i++) {
        struct relay_addr a = {.port = (uint16_t)(7557 + i)};
        a.at = (struct addr){.kind = ADDR_IPV4, .port = a.port, .ip = {192, 0, 2, (uint8_t)i}};
        memset(a.id.bytes, (int)i + 1, sizeof a.id.bytes);
        t.rtt_ms[i] = (uint16_t)(10 * i);
        assert_true(relay_set_add(&t.homes, &a));
    }
    return t;
}

static void what_is_told_is_read(void **state) {
    (void)state;
    uint8_t out[TOLD_BYTES_MAX];
    for (unsigned count = 0; count <= RELAY_SET_MAX; count++) {
        const struct mesh_told t = homes(count);
        struct mesh_told back;
        const size_t len = told_write(&t, out, sizeof out);
        assert_int_equal(len, 7 + count * (2 + 7 + 32));
        assert_true(told_read(&back, out, len));
        assert_int_equal(back.op, TOLD_HOMES);
        assert_int_equal(back.sequence, t.sequence);
        assert_true(relay_set_equal(&back.homes, &t.homes));
        assert_memory_equal(back.rtt_ms, t.rtt_ms, sizeof t.rtt_ms);
    }
    const struct mesh_told heard = {.op = TOLD_HEARD, .sequence = 7};
    struct mesh_told back;
    assert_int_equal(told_write(&heard, out, sizeof out), 6);
    assert_true(told_read(&back, out, 6));
    assert_true(back.op == TOLD_HEARD && back.sequence == 7);
}

static void the_bytes_are_as_the_protocol_says(void **state) {
    (void)state;
    static const uint8_t head[] = {2, 1, 4, 3, 2, 1, 1, 0, 0, 4, 192, 0, 2, 0, 0x85, 0x1d, 1};
    uint8_t out[TOLD_BYTES_MAX];
    const struct mesh_told t = homes(1);
    (void)told_write(&t, out, sizeof out);
    assert_memory_equal(out, head, sizeof head);
}

static void nothing_else_is_read(void **state) {
    (void)state;
    uint8_t out[TOLD_BYTES_MAX + 1] = {0};
    struct mesh_told back;
    const struct mesh_told t = homes(2);
    const size_t len = told_write(&t, out, TOLD_BYTES_MAX);
    for (size_t cut = 0; cut < len; cut++)
        assert_false(told_read(&back, out, cut));
    assert_false(told_read(&back, out, len + 1));
    static const struct {
        size_t at;
        uint8_t value;
    } changes[] = {{0, 1}, {1, 0}, {1, 3}, {6, 1}, {6, 3}, {6, RELAY_SET_MAX + 1}, {9, 5}};
    for (unsigned i = 0; i < sizeof changes / sizeof *changes; i++) {
        const uint8_t was = out[changes[i].at];
        out[changes[i].at] = changes[i].value;
        assert_false(told_read(&back, out, len));
        out[changes[i].at] = was;
    }
    memcpy(out + 7 + 41, out + 7, 41); /* the same twice */
    assert_false(told_read(&back, out, len));
}

/* Four relays with the longest names there are fit into no record: the last ones are left out. */
static void what_finds_no_room_is_left_out(void **state) {
    (void)state;
    uint8_t out[TOLD_BYTES_MAX];
    struct mesh_told t = {.op = TOLD_HOMES}, back;
    for (unsigned i = 0; i < RELAY_SET_MAX; i++) {
        struct relay_addr a = {.port = 1};
        memset(a.host, 'a', RELAY_HOST_MAX);
        for (unsigned k = 60; k < RELAY_HOST_MAX; k += 60)
            a.host[k] = '.';
        a.host[0] = (char)('a' + i);
        a.id.bytes[0] = (uint8_t)(i + 1);
        assert_true(relay_set_add(&t.homes, &a));
    }
    const size_t len = told_write(&t, out, RECORD_MAX_BYTES);
    assert_true(len <= RECORD_MAX_BYTES);
    assert_true(told_read(&back, out, len));
    assert_int_equal(back.homes.count, 3);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_told_is_read),
        cmocka_unit_test(the_bytes_are_as_the_protocol_says),
        cmocka_unit_test(nothing_else_is_read),
        cmocka_unit_test(what_finds_no_room_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
