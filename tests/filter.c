/* filter.c: part of every test program: with CMOCKA_TEST_FILTER=PATTERN (* and ?) it runs only the
 * tests of that name, for which cmocka has a function, but no way to ask from outside. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

__attribute__((constructor)) static void filter(void) {
    const char *pattern = getenv("CMOCKA_TEST_FILTER");
    if (pattern)
        cmocka_set_test_filter(pattern);
}
