/* Each operation of a file in turn fails, on either side: a transfer ends, says so on both sides,
 * leaves nothing open and no part of a file, and the next one works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support_files.h"

enum { S = 1000000, SIZE = 1500000, OPERATIONS_MAX = 200 };

static enum transfer_state send(struct world *w, const char *path) {
    uint64_t id;
    struct transfer_info t;
    disk_fill(w, 0, path, SIZE, 1);
    assert_int_equal(node_send(w->nodes[0].node, w->now_us, "n1", &path, 1, 0, &id), 0);
    world_run(w, 120 * S);
    assert_true(node_transfer_get(w->nodes[0].node, id, &t));
    return t.state;
}

static void nothing_is_left(struct world *w) {
    for (unsigned i = 0; i < 2; i++) {
        struct transfer_info t;
        assert_int_equal(disk_open_count(w, i), 0);
        assert_int_equal(block_pool_in_use(endpoint_blocks(world_endpoint(w->nodes[i].node))), 0);
        for (unsigned k = 0; node_transfer_at(w->nodes[i].node, k, &t); k++)
            assert_true(t.state == TRANSFER_DONE || t.state == TRANSFER_FAILED);
    }
}

/* False: there are not so many operations. */
static bool fails_at(unsigned side, unsigned n, unsigned more) {
    struct world *w = files_pair(n, ACCEPT_CONTACTS);
    disk_faults(w, side)->fail_after = n;
    disk_faults(w, side)->fail_more = more;
    const enum transfer_state state = send(w, "/a/first");
    const struct disk_faults *f = disk_faults(w, side);
    const bool hit = f->fail_after == 0 || f->fail_more < more;
    assert_true(state == TRANSFER_DONE || (state == TRANSFER_FAILED && hit));
    nothing_is_left(w);
    if (state == TRANSFER_DONE)
        assert_true(disk_same(w->nodes[0].disk, "/a/first", w->nodes[1].disk, "in/first"));
    else if (disk_count(w, 1) > 0) /* its name was given already: it is whole */
        assert_true(disk_same(w->nodes[0].disk, "/a/first", w->nodes[1].disk, "in/first"));
    disk_faults(w, side)->fail_after = 0;
    disk_faults(w, side)->fail_more = 0;
    assert_int_equal(send(w, "/a/second"), TRANSFER_DONE);
    assert_true(disk_same(w->nodes[0].disk, "/a/second", w->nodes[1].disk, "in/second"));
    nothing_is_left(w);
    world_free(w);
    return hit;
}

static void each_operation_fails(unsigned more) {
    for (unsigned side = 0; side < 2; side++) {
        unsigned n = 1;
        while (n < OPERATIONS_MAX && fails_at(side, n, more))
            n++;
        assert_in_range(n, 5, OPERATIONS_MAX - 1);
    }
}

static void any_one_operation_may_fail(void **state) {
    (void)state;
    each_operation_fails(0);
}

static void and_those_after_it(void **state) {
    (void)state;
    each_operation_fails(2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_one_operation_may_fail),
        cmocka_unit_test(and_those_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
