/* Lists come in pages that fit together. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/control/call/control_page.h"
#include "support_desk.h"

enum { ENTRIES = 600 };

static const char *entry = "x";

static int list(struct call *call) {
    struct page p = page_open(call, "things");
    while (page_room(&p) && p.at < ENTRIES) {
        proto_str(call->w, NULL, entry);
        page_step(&p);
    }
    return page_close(&p, p.at < ENTRIES);
}

static const struct method methods[] = {{"list", list, {ARGS_PAGE}}, {NULL, NULL, {{0}}}};
static const struct group group = {.methods = methods};

static uint64_t page(struct desk *d, uint64_t offset, uint64_t limit, unsigned count) {
    struct proto_writer *w = desk_ask(d, "list");
    proto_uint(w, "offset", offset);
    if (limit)
        proto_uint(w, "limit", limit);
    assert_int_equal(desk_run(d), 0);
    assert_int_equal(desk_count(d, "things"), count);
    return desk_uint(d, "next");
}

static void pages_follow_each_other_and_the_last_says_so(void **state) {
    (void)state;
    struct desk *d = desk_open(&group);
    assert_int_equal(page(d, 0, 0, CONTROL_PAGE_MAX), CONTROL_PAGE_MAX);
    assert_int_equal(page(d, 0, 100000, CONTROL_PAGE_MAX), CONTROL_PAGE_MAX);
    assert_int_equal(page(d, 0, 10, 10), 10);
    assert_int_equal(page(d, 512, 0, ENTRIES - 512), UINT64_MAX);
    assert_int_equal(page(d, ENTRIES, 0, 0), UINT64_MAX);
    assert_int_equal(page(d, UINT32_MAX, 0, 0), UINT64_MAX);
    desk_close(d);
}

static void a_page_ends_when_it_is_large(void **state) {
    (void)state;
    static char large[5000];
    for (size_t i = 0; i + 1 < sizeof large; i++)
        large[i] = 'x';
    struct desk *d = desk_open(&group);
    entry = large;
    assert_int_equal(page(d, 0, 0, CONTROL_PAGE_BYTES / 5000 + 1), CONTROL_PAGE_BYTES / 5000 + 1);
    entry = "x";
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_follow_each_other_and_the_last_says_so),
        cmocka_unit_test(a_page_ends_when_it_is_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
