/* Arrays grow in one way; and a program that has its own mem_* gets no other: this one's are
 * below. */
#include "crypto/base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/crypto/support_crypto.h"

static unsigned calls, fail_at;
static size_t asked_bytes;

static bool fails(void) {
    return ++calls == fail_at;
}

void *mem_alloc(size_t bytes) {
    return fails() ? NULL : malloc(bytes);
}

void *mem_calloc(size_t count, size_t item_bytes) {
    return fails() ? NULL : calloc(count, item_bytes);
}

void *mem_realloc(void *p, size_t bytes) {
    asked_bytes = bytes;
    return fails() ? NULL : realloc(p, bytes);
}

void *mem_aligned(size_t align, size_t bytes) {
    return fails() ? NULL : aligned_alloc(align, bytes);
}

void mem_free(void *p) {
    free(p);
}

static int reset(void **state) {
    (void)state;
    calls = fail_at = 0;
    return 0;
}

static void an_array_begins_with_a_cache_line_or_four_items(void **state) {
    (void)state;
    static const struct {
        size_t item_bytes;
        uint32_t cap;
    } cases[] = {{1, 64}, {8, 8}, {16, 4}, {17, 4}, {1000, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *list = NULL;
        uint32_t cap = 0;
        assert_true(mem_grow(&list, &cap, 1, cases[i].item_bytes, UINT32_MAX));
        assert_int_equal(cap, cases[i].cap);
        assert_int_equal(asked_bytes, cap * cases[i].item_bytes);
        mem_free(list);
    }
}

static void it_doubles_and_keeps_what_it_holds(void **state) {
    (void)state;
    uint32_t *list = NULL, cap = 0;
    for (uint32_t n = 0; n < 1000; n++) {
        assert_true(mem_grow(&list, &cap, n + 1, sizeof *list, UINT32_MAX));
        list[n] = n;
    }
    assert_int_equal(cap, 1024);
    assert_int_equal(calls, 7); /* 16, 32, ... 1,024 */
    for (uint32_t n = 0; n < 1000; n++)
        assert_int_equal(list[n], n);
    mem_free(list);
}

static void one_step_is_as_long_as_is_needed(void **state) {
    (void)state;
    uint8_t *list = NULL;
    uint32_t cap = 0;
    assert_true(mem_grow(&list, &cap, 5000, 1, UINT32_MAX));
    assert_int_equal(cap, 5000);
    assert_int_equal(calls, 1);
    mem_free(list);
}

static void it_ends_at_its_limit(void **state) {
    (void)state;
    uint64_t *list = NULL;
    uint32_t cap = 0;
    assert_true(mem_grow(&list, &cap, 20, sizeof *list, 30));
    assert_true(mem_grow(&list, &cap, 21, sizeof *list, 30));
    assert_int_equal(cap, 30);
    assert_true(mem_grow(&list, &cap, 30, sizeof *list, 30));
    assert_false(mem_grow(&list, &cap, 31, sizeof *list, 30));
    assert_int_equal(cap, 30);
    mem_free(list);
}

static void without_memory_nothing_changes(void **state) {
    (void)state;
    uint64_t *list = NULL;
    uint32_t cap = 0;
    fail_at = 1;
    assert_false(mem_grow(&list, &cap, 1, sizeof *list, UINT32_MAX));
    assert_null(list);
    assert_int_equal(cap, 0);
    assert_true(mem_grow(&list, &cap, 1, sizeof *list, UINT32_MAX));
    uint64_t *before = list;
    fail_at = calls + 1;
    assert_false(mem_grow(&list, &cap, cap + 1, sizeof *list, UINT32_MAX));
    assert_ptr_equal(list, before);
    assert_int_equal(cap, 8);
    mem_free(list);
}

static void what_no_size_can_hold_is_refused(void **state) {
    (void)state;
    char *list = NULL;
    uint32_t cap = 0;
    assert_false(mem_grow(&list, &cap, UINT32_MAX, SIZE_MAX / 2, UINT32_MAX));
    assert_false(mem_grow(&list, &cap, SIZE_MAX, 1, UINT32_MAX));
    assert_int_equal(calls, 0);
}

static void a_text_is_copied_with_its_end(void **state) {
    (void)state;
    char *copy = mem_strdup("of its own");
    assert_string_equal(copy, "of its own");
    mem_free(copy);
    fail_at = calls + 1;
    assert_null(mem_strdup("x"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_array_begins_with_a_cache_line_or_four_items, reset),
        cmocka_unit_test_setup(it_doubles_and_keeps_what_it_holds, reset),
        cmocka_unit_test_setup(one_step_is_as_long_as_is_needed, reset),
        cmocka_unit_test_setup(it_ends_at_its_limit, reset),
        cmocka_unit_test_setup(without_memory_nothing_changes, reset),
        cmocka_unit_test_setup(what_no_size_can_hold_is_refused, reset),
        cmocka_unit_test_setup(a_text_is_copied_with_its_end, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
