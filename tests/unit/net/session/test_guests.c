/* The places for guests, and who has how many of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/base/hop.h"
#include "net/base/limits.h"
#include "net/session/guests.h"

static uint64_t source_of(bool v6, unsigned net, unsigned host) {
    struct addr a = {.kind = ADDR_IPV4, .port = 1, .ip = {10, 0, (uint8_t)net, (uint8_t)host}};
    if (v6) /* a /56 of the /48 */
        a = (struct addr){.kind = ADDR_IPV6,
                          .port = 1,
                          .ip = {0x20, 1, 0xd, 0xb8, 0, (uint8_t)net, (uint8_t)host, 0, 7}};
    const struct hop h = hop_udp(&a, 0);
    return hop_source(&h);
}

static unsigned fill(struct guests *g, bool v6, unsigned net, unsigned host) {
    unsigned n = 0;
    while (guests_room(g, source_of(v6, net, host)) && guests_add(g, source_of(v6, net, host)))
        n++;
    return n;
}

static void a_source_has_its_share(void **state) {
    (void)state;
    struct guests g = {0};
    assert_int_equal(fill(&g, false, 1, 1), GUESTS_SOURCE_MAX);
    assert_int_equal(fill(&g, false, 1, 2), GUESTS_SOURCE_MAX);
    guests_remove(&g, source_of(false, 1, 1));
    assert_int_equal(fill(&g, false, 1, 1), 1);
    guests_clear(&g);
}

/* Who has a /24, or the /48 that anybody gets for the asking, has many sources, and not all
 * places. */
static void a_prefix_leaves_room_to_others(void **state) {
    (void)state;
    for (unsigned v6 = 0; v6 < 2; v6++) {
        struct guests g = {0};
        unsigned n = 0;
        for (unsigned host = 0; host < 256; host++)
            n += fill(&g, v6, 1, host);
        assert_true(n <= GUESTS_MAX / 8);
        assert_int_equal(fill(&g, v6, 2, 1), GUESTS_SOURCE_MAX);
        guests_remove(&g, source_of(v6, 1, 0));
        assert_int_equal(fill(&g, v6, 1, 255), 1);
        guests_clear(&g);
    }
}

static void all_have_a_bound(void **state) {
    (void)state;
    struct guests g = {0};
    unsigned n = 0;
    for (unsigned net = 0; net < 256; net++)
        for (unsigned host = 0; host < 2; host++)
            n += fill(&g, false, net, host);
    assert_int_equal(n, GUESTS_MAX);
    guests_clear(&g);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_source_has_its_share),
        cmocka_unit_test(a_prefix_leaves_room_to_others),
        cmocka_unit_test(all_have_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
