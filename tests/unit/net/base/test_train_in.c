/* A run of datagrams: where each begins and how long it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/base/train_in.h"

static void each_datagram_of_a_run_is_found(void **state) {
    (void)state;
    static const struct {
        size_t len, segment, count, last;
    } cases[] = {{1, 1, 1, 1},       {1200, 1200, 1, 1200}, {2400, 1200, 2, 1200},
                 {2401, 1200, 3, 1}, {100, 1200, 1, 100},   {65507, 1472, 45, 739}};
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct train_in r = {.len = cases[i].len, .segment_bytes = cases[i].segment};
        size_t count = 0, total = 0, n = 0;
        for (size_t at = 0; at < r.len; at += r.segment_bytes, count++)
            total += n = train_in_bytes_at(&r, at);
        assert_int_equal(count, cases[i].count);
        assert_int_equal(total, r.len);
        assert_int_equal(n, cases[i].last);
        assert_int_equal(train_in_bytes_at(&r, r.len), 0);
        assert_int_equal(train_in_bytes_at(&r, r.len + 7), 0);
    }
}

static void one_datagram_is_a_run_of_one(void **state) {
    (void)state;
    static const struct addr a = {.kind = ADDR_IPV4, .port = 9};
    const struct hop from = hop_udp(&a, 3);
    uint8_t buf[4];
    for (size_t len = 0; len <= sizeof buf; len++) { /* an empty one, too, is seen and counted */
        const struct train_in r = train_in_of_one(&from, ECN_ECT0, buf, len);
        assert_true(r.segment_bytes > 0 && r.segment_bytes >= len);
        assert_int_equal(train_in_bytes_at(&r, 0), len);
        assert_int_equal(r.ecn, ECN_ECT0);
        assert_true(hop_equal(&r.from, &from));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_datagram_of_a_run_is_found),
        cmocka_unit_test(one_datagram_is_a_run_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
