/* The NAT's hash chooses ports, so it is the same number on every machine. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "sim/nat/nat_table.h"

static void a_hash_is_the_same_whatever_the_byte_order(void **state) {
    (void)state;
    struct nat_key k = {.kind = 0};
    assert_int_equal(nat_hash(&k), UINT32_C(0x981479c7));
    for (uint8_t i = 0; i < 16; i++) {
        k.ip[i] = (uint8_t)(1 + i);
        k.other_ip[i] = (uint8_t)(17 + i);
    }
    k.port = 0x1234;
    k.other_port = 0xabcd;
    k.kind = 0x01020304;
    assert_int_equal(nat_hash(&k), UINT32_C(0xc433c223));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hash_is_the_same_whatever_the_byte_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
