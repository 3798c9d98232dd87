/* A place is withdrawn while there is no memory for a move: the session stays where it is, and goes
 * on once there is some. All memory of this program comes from here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "crypto/base/mem.h"
#include "support_ways.h"

enum { S = 1000 * 1000 };

static bool none; /* there is no memory */

void *mem_alloc(size_t bytes) {
    return none ? NULL : malloc(bytes);
}

void *mem_calloc(size_t count, size_t item_bytes) {
    return none ? NULL : calloc(count, item_bytes);
}

void *mem_realloc(void *p, size_t bytes) {
    return none ? NULL : realloc(p, bytes);
}

void *mem_aligned(size_t align, size_t bytes) {
    return none ? NULL : aligned_alloc(align, (bytes + align - 1) / align * align);
}

void mem_free(void *p) {
    free(p);
}

static void the_path_in_use_stays_one_where_there_is_no_memory_for_a_move(void **state) {
    (void)state;
    struct ways *v = ways_new(1, 10 * MS);
    const uint64_t id = world_open(v->w, 0);
    ways_offer(v, 0, 1);
    struct session *s = ways_session(v, 0);
    ways_feed(v, 0, id, S);
    const struct hop at = *session_hop(s);
    assert_int_equal(ways_used(v, 0), 0);
    none = true;
    endpoint_path_withdraw(v->w->p->ep[0], s, v->w->p->now_us, &at);
    none = false;
    assert_non_null(path_list_find(s->paths.known, &at));
    assert_ptr_equal(path_list_active(s->paths.known), path_list_find(s->paths.known, &at));
    ways_feed(v, 0, id, S);
    endpoint_path_withdraw(v->w->p->ep[0], s, v->w->p->now_us, &at);
    assert_int_equal(ways_used(v, 0), 1);
    ways_feed(v, 0, id, S);
    ways_free(v);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_path_in_use_stays_one_where_there_is_no_memory_for_a_move),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
