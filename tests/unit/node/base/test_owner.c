/* Cookies and the references in them: what has gone is not found, and each is its part's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/base/handles.h"
#include "node/base/owner.h"
#include "node/base/part.h"
#include "node/disk/file_op.h"

static void a_cookie_gives_back_part_and_reference(void **state) {
    (void)state;
    const uint64_t refs[] = {0, 1, UINT64_C(0xffffffffffffff)};
    for (unsigned i = 0; i < 3; i++)
        for (unsigned part = 0; part < 256; part += 15) {
            const uint64_t owner = owner_pack(part, refs[i]);
            assert_int_equal(owner_part(owner), part);
            assert_int_equal(owner_ref(owner), refs[i]);
        }
    assert_int_equal(owner_pack(0, 0), 0);
}

static void a_reference_finds_nothing_once_its_thing_has_gone(void **state) {
    (void)state;
    struct handles h = {0};
    int things[100];
    uint64_t refs[100];
    assert_null(handle_get(&h, 0));
    for (unsigned i = 0; i < 100; i++) {
        refs[i] = handle_new(&h, &things[i]);
        assert_int_not_equal(refs[i], 0);
        assert_int_equal(refs[i] >> OWNER_REF_BITS, 0);
    }
    for (unsigned i = 0; i < 100; i += 2) {
        handle_drop(&h, refs[i]);
        handle_drop(&h, refs[i]); /* again: nothing */
    }
    for (unsigned i = 0; i < 100; i++)
        assert_ptr_equal(handle_get(&h, refs[i]), i % 2 ? &things[i] : NULL);
    for (unsigned i = 0; i < 50; i++) { /* the places are used again, the references not */
        const uint64_t ref = handle_new(&h, &things[2 * i]);
        for (unsigned k = 0; k < 100; k++)
            assert_int_not_equal(ref, refs[k]);
        refs[2 * i] = ref;
    }
    for (unsigned i = 0; i < 100; i++) /* and each of them by one */
        assert_ptr_equal(handle_get(&h, refs[i]), &things[i]);
    assert_int_equal(h.count, 100);
    handle_drop(&h, refs[0]);
    assert_null(handle_get(&h, refs[0]));
    assert_null(handle_get(&h, refs[99] + 1));
    handles_clear(&h);
    assert_null(handle_get(&h, refs[1]));
}

static void a_reference_is_never_nobodys(void **state) {
    (void)state;
    struct handles h = {0};
    int thing;
    handle_drop(&h, handle_new(&h, &thing));
    h.list[0].generation = UINT32_MAX; /* it has been used so often */
    const uint64_t ref = handle_new(&h, &thing);
    assert_int_not_equal(ref, 0);
    assert_ptr_equal(handle_get(&h, ref), &thing);
    handles_clear(&h);
}

struct asked {
    unsigned events, ops;
    bool takes;
};

static bool on_event(void *self, struct contact *c, const struct ep_event *ev) {
    struct asked *a = self;
    (void)c;
    (void)ev;
    a->events++;
    return a->takes;
}

static void on_op(void *self, struct file_op *op) {
    (void)op;
    ((struct asked *)self)->ops++;
}

static void who_owns_it_hears_of_it_and_nobody_else(void **state) {
    (void)state;
    static const struct part_ops deaf = {0}, hears = {.stream_event = on_event, .op_done = on_op};
    struct parts parts = {0};
    struct asked a = {0}, b = {.takes = true};
    const unsigned none = parts_add(&parts, &deaf, NULL);
    const unsigned first = parts_add(&parts, &hears, &a);
    const unsigned second = parts_add(&parts, &hears, &b);
    struct ep_event ev = {.kind = EP_STREAM_READABLE, .owner = owner_pack(first, 7)};
    struct file_op op = {.owner = owner_pack(second, 7)};
    assert_false(parts_stream_event(&parts, NULL, &ev)); /* its own word counts */
    assert_int_equal(a.events, 1);
    assert_int_equal(b.events, 0);
    ev.owner = owner_pack(none, 7);
    assert_false(parts_stream_event(&parts, NULL, &ev));
    assert_int_equal(a.events + b.events, 1);
    ev.owner = 0; /* all are asked, until one takes it */
    assert_true(parts_stream_event(&parts, NULL, &ev));
    assert_int_equal(a.events, 2);
    assert_int_equal(b.events, 1);
    parts_op_done(&parts, &op);
    assert_int_equal(a.ops, 0);
    assert_int_equal(b.ops, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_cookie_gives_back_part_and_reference),
        cmocka_unit_test(a_reference_finds_nothing_once_its_thing_has_gone),
        cmocka_unit_test(a_reference_is_never_nobodys),
        cmocka_unit_test(who_owns_it_hears_of_it_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
