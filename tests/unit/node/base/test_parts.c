/* In which order parts hear of what happens, and whose a cookie is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/base/owner.h"
#include "node/base/turn.h"

static char heard[256];

struct row {
    char name;
    int err;
    uint64_t at_us;
};

static void note(const void *self) {
    const size_t at = strlen(heard);
    heard[at] = ((const struct row *)self)->name;
    heard[at + 1] = '\0';
}

static int load(void *self) {
    note(self);
    return ((struct row *)self)->err;
}

static void clear(void *self) {
    note(self);
}

static uint64_t deadline_us(const void *self) {
    return ((const struct row *)self)->at_us;
}

static void up(void *self, struct peering *p) {
    (void)p;
    note(self);
}

static void contact_up(void *self, struct contact *c) {
    (void)c;
    note(self);
    strcat(heard, "c");
}

static void down(void *self, struct peering *p, int err) {
    (void)p;
    (void)err;
    note(self);
}

static int contact_new(void *self, struct contact *c) {
    (void)c;
    note(self);
    return ((struct row *)self)->err;
}

static void contact_gone(void *self, struct contact *c) {
    (void)c;
    note(self);
    strcat(heard, "-");
}

static uint64_t silent(void *self, struct peering *p, uint64_t before_us) {
    (void)p;
    note(self);
    return ((struct row *)self)->at_us + before_us + 1;
}

static uint64_t contact_silent(void *self, struct contact *c, uint64_t before_us) {
    (void)c;
    note(self);
    strcat(heard, "c");
    return ((struct row *)self)->at_us + before_us;
}

static void contact_down(void *self, struct contact *c, int err) {
    (void)c;
    (void)err;
    note(self);
    strcat(heard, "c");
}

static void peer_gone(void *self, struct peering *p) {
    (void)p;
    note(self);
}

static void changed(void *self) {
    note(self);
}

static int contact_void(void *self, const struct contact *c) {
    (void)c;
    note(self);
    return ((struct row *)self)->err;
}

static bool waits(const void *self, const struct contact *c) {
    (void)c;
    note(self);
    return ((const struct row *)self)->err != 0;
}

static void retry(void *self, struct contact *c) {
    (void)c;
    note(self);
}

static void renamed(void *self, const struct contact *c) {
    (void)c;
    note(self);
}

static bool stream_event(void *self, struct contact *c, const struct ep_event *ev) {
    (void)c;
    (void)ev;
    note(self);
    return ((struct row *)self)->err != 0;
}

static const struct part_ops all = {.load = load,
                                    .clear = clear,
                                    .deadline_us = deadline_us,
                                    .session_up = up,
                                    .session_down = down,
                                    .peer_up = contact_up,
                                    .contact_new = contact_new,
                                    .contact_gone = contact_gone,
                                    .shutdown = clear,
                                    .timeout = changed,
                                    .silent = silent,
                                    .peer_silent = contact_silent,
                                    .not_connected = down,
                                    .peer_down = contact_down,
                                    .connect_failed = contact_down,
                                    .peer_gone = peer_gone,
                                    .network_changed = changed,
                                    .contact_void = contact_void,
                                    .waits = waits,
                                    .retry = retry,
                                    .renamed = renamed,
                                    .stream_event = stream_event};
static const struct part_ops none = {.load = NULL};

static void three(struct parts *parts, struct row rows[static 3]) {
    *parts = (struct parts){.count = 0};
    heard[0] = '\0';
    for (unsigned i = 0; i < 3; i++)
        rows[i] = (struct row){(char)('1' + (char)i), 0, 100 - i};
    assert_int_equal(parts_add(parts, &all, &rows[0]), 1);
    assert_int_equal(parts_add(parts, &none, NULL), 2);
    assert_int_equal(parts_add(parts, &all, &rows[1]), 3);
    assert_int_equal(parts_add(parts, &all, &rows[2]), 4);
}

static void what_begins_is_told_upwards_and_what_ends_downwards(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any; /* a contact and a peering are no more than pointers to them here */
    three(&parts, rows);
    assert_int_equal(parts_load(&parts), 0);
    assert_string_equal(heard, "123");
    heard[0] = '\0';
    parts_peer_up(&parts, (void *)&any, NULL);
    assert_string_equal(heard, "123"); /* no contact: nobody is told of one */
    heard[0] = '\0';
    parts_peer_up(&parts, (void *)&any, (void *)&any);
    assert_string_equal(heard, "11c22c33c");
    heard[0] = '\0';
    parts_peer_down(&parts, (void *)&any, NULL, 0);
    assert_string_equal(heard, "321");
    heard[0] = '\0';
    parts_clear(&parts);
    assert_string_equal(heard, "321");
}

static void an_end_is_told_of_the_contact_first_and_downwards(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    parts_peer_down(&parts, (void *)&any, (void *)&any, 0);
    assert_string_equal(heard, "3c32c21c1");
    heard[0] = '\0';
    parts_connect_failed(&parts, (void *)&any, (void *)&any, 0);
    assert_string_equal(heard, "3c32c21c1");
    heard[0] = '\0';
    parts_connect_failed(&parts, (void *)&any, NULL, 0);
    assert_string_equal(heard, "321");
    heard[0] = '\0';
    parts_peer_gone(&parts, (void *)&any);
    assert_string_equal(heard, "321");
    heard[0] = '\0';
    parts_shutdown(&parts);
    assert_string_equal(heard, "321");
}

static void what_just_happens_is_told_upwards(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    parts_network_changed(&parts);
    parts_timeout(&parts);
    parts_retry(&parts, (void *)&any);
    parts_renamed(&parts, (void *)&any);
    assert_string_equal(heard, "123123123123");
}

static void a_removal_is_refused_by_the_first_that_cannot(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    assert_int_equal(parts_contact_void(&parts, (void *)&any), 0);
    assert_string_equal(heard, "321");
    heard[0] = '\0';
    rows[1].err = ERR_DISK;
    assert_int_equal(parts_contact_void(&parts, (void *)&any), ERR_DISK);
    assert_string_equal(heard, "32");
}

static void what_is_silent_for_longest_comes_of_all_that_wait(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    rows[1].at_us = 7;
    assert_int_equal(parts_peer_silent(&parts, (void *)&any, (void *)&any, 1000), 1007);
    assert_string_equal(heard, "3c32c21c1");
    heard[0] = '\0';
    assert_int_equal(parts_peer_silent(&parts, (void *)&any, NULL, 0), 8);
    assert_string_equal(heard, "321");
}

static void one_that_waits_is_enough(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    assert_false(parts_wait(&parts, (void *)&any));
    assert_string_equal(heard, "123");
    heard[0] = '\0';
    rows[1].err = 1;
    assert_true(parts_wait(&parts, (void *)&any));
    assert_string_equal(heard, "12");
}

static void a_stream_is_its_owners_or_the_first_ones_that_wants_it(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    struct ep_event ev = {.kind = EP_STREAM_READABLE};
    three(&parts, rows);
    assert_false(parts_stream_event(&parts, (void *)&any, &ev));
    assert_string_equal(heard, "123");
    heard[0] = '\0';
    rows[0].err = rows[1].err = 1;
    assert_true(parts_stream_event(&parts, (void *)&any, &ev));
    assert_string_equal(heard, "1");
    /* It has an owner: nobody else is asked, whatever that one says. */
    heard[0] = '\0';
    ev.owner = owner_pack(4, 1);
    assert_false(parts_stream_event(&parts, (void *)&any, &ev));
    assert_string_equal(heard, "3");
    ev.owner = owner_pack(2, 1); /* knows no streams */
    assert_false(parts_stream_event(&parts, (void *)&any, &ev));
    assert_string_equal(heard, "3");
}

static void the_first_error_ends_the_start(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    three(&parts, rows);
    rows[1].err = ERR_DISK;
    assert_int_equal(parts_load(&parts), ERR_DISK);
    assert_string_equal(heard, "12");
}

static void whoever_was_told_of_a_contact_that_cannot_be_is_told_that_it_goes(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    char any;
    three(&parts, rows);
    rows[2].err = ERR_NOMEM;
    assert_int_equal(parts_contact_new(&parts, (void *)&any), ERR_NOMEM);
    assert_string_equal(heard, "1232-1-");
}

static void the_next_deadline_is_the_first_of_all(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    three(&parts, rows);
    assert_int_equal(parts_deadline_us(&parts), 98);
    rows[0].at_us = 7;
    assert_int_equal(parts_deadline_us(&parts), 7);
    parts = (struct parts){.count = 0};
    assert_true(parts_deadline_us(&parts) == UINT64_MAX);
}

static void a_cookie_finds_its_part_and_nothing_else(void **state) {
    (void)state;
    struct parts parts;
    struct row rows[3];
    three(&parts, rows);
    const uint64_t cookie = owner_pack(3, 0xffffffffffffff);
    assert_ptr_equal(parts_owner(&parts, cookie)->self, &rows[1]);
    assert_true(owner_ref(cookie) == 0xffffffffffffff);
    assert_null(parts_owner(&parts, 0));
    assert_null(parts_owner(&parts, owner_pack(5, 1)));
    assert_null(parts_owner(&parts, owner_pack(255, 1)));
}

static char line[600];

static void take_line(void *ctx, enum log_level level, const char *text) {
    (void)ctx;
    (void)level;
    snprintf(line, sizeof line, "%s", text);
}

static void a_limit_is_told_once_and_only_with_its_own_error(void **state) {
    (void)state;
    struct turn turn = {.now_us = 5};
    assert_int_equal(turn_met(&turn, LIMIT_PINGS, 256), ERR_FULL);
    struct cause c = turn_why(&turn, ERR_FULL);
    assert_int_equal(c.limit, LIMIT_PINGS);
    assert_int_equal(c.max, 256);
    assert_int_equal(turn_why(&turn, ERR_FULL).limit, LIMIT_NONE);
    assert_int_equal(turn_met(&turn, LIMIT_PINGS, 256), ERR_FULL);
    assert_int_equal(turn_why(&turn, ERR_DISK).limit, LIMIT_NONE);
}

static void the_wall_clock_goes_on_from_what_was_told(void **state) {
    (void)state;
    struct turn turn = {.now_us = 1000, .wall_us = 50, .wall_at_us = 400};
    assert_int_equal(turn_wall_us(&turn), 650);
    turn.now_us = 300; /* told for a later moment: it does not go back */
    assert_int_equal(turn_wall_us(&turn), 50);
}

static void a_line_for_nobody_is_none_and_a_long_one_is_cut(void **state) {
    (void)state;
    struct turn turn = {.now_us = 1};
    char text[2000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    turn_log(&turn, LOG_ERROR, "%s", text);
    turn.env.log = take_line;
    turn_log(&turn, LOG_ERROR, "%s", text);
    assert_int_equal(strlen(line), 511);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_begins_is_told_upwards_and_what_ends_downwards),
        cmocka_unit_test(an_end_is_told_of_the_contact_first_and_downwards),
        cmocka_unit_test(what_just_happens_is_told_upwards),
        cmocka_unit_test(a_removal_is_refused_by_the_first_that_cannot),
        cmocka_unit_test(what_is_silent_for_longest_comes_of_all_that_wait),
        cmocka_unit_test(one_that_waits_is_enough),
        cmocka_unit_test(a_stream_is_its_owners_or_the_first_ones_that_wants_it),
        cmocka_unit_test(the_first_error_ends_the_start),
        cmocka_unit_test(whoever_was_told_of_a_contact_that_cannot_be_is_told_that_it_goes),
        cmocka_unit_test(the_next_deadline_is_the_first_of_all),
        cmocka_unit_test(a_cookie_finds_its_part_and_nothing_else),
        cmocka_unit_test(a_limit_is_told_once_and_only_with_its_own_error),
        cmocka_unit_test(the_wall_clock_goes_on_from_what_was_told),
        cmocka_unit_test(a_line_for_nobody_is_none_and_a_long_one_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
