/* When the list of transfers is written, and how far numbers are laid by
 * (node/file/transfer/write_pace). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/file/transfer/write_pace.h"

enum { S = 1000000 };

static void nothing_is_due_until_something_changes(void **state) {
    (void)state;
    struct write_pace p = {0};
    assert_int_equal(write_pace_deadline_us(&p), UINT64_MAX);
    assert_false(write_pace_due(&p, S));
    write_pace_changed(&p, S);
    assert_true(write_pace_due(&p, S));
    write_pace_written(&p, S, 0);
    assert_false(write_pace_due(&p, 100 * S));
    write_pace_changed(&p, 0); /* at the beginning of time, too */
    assert_true(write_pace_due(&p, 1));
}

static void many_changes_are_written_ten_at_once_and_then_spaced(void **state) {
    (void)state;
    struct write_pace p = {0};
    unsigned written = 0;
    for (uint64_t now_us = S; now_us < 11 * S; now_us += 1000) { /* a change every millisecond */
        write_pace_changed(&p, now_us);
        if (!write_pace_due(&p, now_us))
            continue;
        written++;
        write_pace_written(&p, now_us, 0);
        if (now_us < S + 8000)
            assert_int_equal(written, (now_us - S) / 1000 + 1);
    }
    const unsigned burst = WRITE_PACE_BURST_US / WRITE_PACE_US;
    assert_in_range(written, burst + 10 * S / WRITE_PACE_US - 2,
                    burst + 10 * S / WRITE_PACE_US + 2);
}

static void numbers_are_laid_by_before_they_are_used_up_whatever_was_spent(void **state) {
    (void)state;
    struct write_pace p = {0};
    unsigned written = 0;
    for (uint64_t id = 1; id <= 10000; id++) { /* all at one time */
        write_pace_numbered(&p, S, id);
        if (write_pace_due(&p, S)) {
            const uint64_t ids = write_pace_ids(&p, S, id);
            assert_in_range(ids, id + 1, id + WRITE_PACE_IDS_FLOOD);
            write_pace_written(&p, S, ids);
            written++;
        }
        assert_true(p.ids >= id);
    }
    assert_in_range(written, 10, 40); /* the burst, then 1024 at a time */
}

static void what_was_laid_by_stays_while_there_is_enough(void **state) {
    (void)state;
    struct write_pace p = {.ids = 100};
    assert_int_equal(write_pace_ids(&p, S, 84), 100);
    assert_int_equal(write_pace_ids(&p, S, 85), 85 + WRITE_PACE_IDS);
    write_pace_numbered(&p, S, 84);
    assert_false(write_pace_due(&p, S));
    write_pace_numbered(&p, S, 85);
    assert_true(write_pace_due(&p, S));
}

static void a_failure_is_repeated_later_and_later(void **state) {
    (void)state;
    struct write_pace p = {0};
    uint64_t now_us = S, pause_us = WRITE_PACE_RETRY_US;
    write_pace_numbered(&p, now_us, 1);
    assert_true(write_pace_failed(&p, now_us));
    for (unsigned i = 0; i < 10; i++) {
        write_pace_numbered(&p, now_us, 2); /* does not hurry it */
        write_pace_changed(&p, now_us);
        assert_int_equal(p.due_us, now_us + pause_us);
        now_us = p.due_us;
        pause_us = pause_us * 2 < WRITE_PACE_RETRY_MAX_US ? pause_us * 2 : WRITE_PACE_RETRY_MAX_US;
        assert_false(write_pace_failed(&p, now_us)); /* said once */
    }
    write_pace_written(&p, now_us, 40);
    assert_int_equal(p.backoff_us, 0);
    assert_true(write_pace_failed(&p, now_us));
}

static void what_has_left_the_list_is_remembered_up_to_a_bound(void **state) {
    (void)state;
    struct write_pace p = {0};
    for (uint64_t id = 1; id <= WRITE_PACE_GONE_MAX + 5; id++)
        write_pace_gone(&p, S, id);
    assert_int_equal(p.gone_count, WRITE_PACE_GONE_MAX);
    assert_int_equal(p.gone[WRITE_PACE_GONE_MAX - 1], WRITE_PACE_GONE_MAX);
    assert_true(write_pace_due(&p, S));
    write_pace_written(&p, S, 1);
    assert_int_equal(p.gone_count, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_due_until_something_changes),
        cmocka_unit_test(many_changes_are_written_ten_at_once_and_then_spaced),
        cmocka_unit_test(numbers_are_laid_by_before_they_are_used_up_whatever_was_spent),
        cmocka_unit_test(what_was_laid_by_stays_while_there_is_enough),
        cmocka_unit_test(a_failure_is_repeated_later_and_later),
        cmocka_unit_test(what_has_left_the_list_is_remembered_up_to_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
