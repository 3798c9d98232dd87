/* What is answered later is answered once, or let go of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "support_desk.h"

enum { S = 1000000 };

static unsigned dropped, retried;

static void on_event(struct waits *ws, uint64_t now_us, struct wait *w,
                     const struct node_event *e) {
    if (e->id == w->ref && e->err)
        wait_told(ws, now_us, w, e);
    else if (e->id == w->ref)
        wait_uint(ws, now_us, w, "ref");
}
static void on_drop(struct waits *ws, uint64_t now_us, struct wait *w) {
    (void)ws;
    (void)now_us;
    dropped += w->text && strcmp(w->text, "secret") == 0;
}
static void on_retry(struct waits *ws, uint64_t now_us, struct wait *w) {
    (void)ws;
    retried++;
    w->retry_us = now_us + S;
}
static void on_expiry(struct waits *ws, uint64_t now_us, struct wait *w) {
    proto_bool(wait_open(ws, w), "late", true);
    wait_close(ws, now_us, w);
}
static const struct wait_kind plain = {
    .event = on_event, .dropped = on_drop, .retry = on_retry, .late = "it is late"};
static const struct wait_kind own_end = {.event = on_event, .expired = on_expiry, .for_name = true};

static struct wait *add(struct desk *d, const struct wait_kind *kind, uint64_t ref,
                        uint64_t deadline_us) {
    d->call = (struct call){.conn = d->conn, .waits = &d->waits, .id = (uint32_t)ref};
    struct wait *w = wait_new(&d->call, kind, deadline_us);
    if (w)
        w->ref = ref;
    return w;
}

static void an_event_answers_the_one_that_waits_for_it(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    add(d, &plain, 3, UINT64_MAX);
    add(d, &plain, 4, UINT64_MAX);
    assert_int_equal(wait_count(&d->waits, d->conn, &plain), 2);
    desk_event(d, (struct node_event){.id = 4});
    assert_true(desk_hear(d));
    assert_int_equal(d->heard.id, 4);
    assert_int_equal(desk_uint(d, "ref"), 4);
    desk_event(d, (struct node_event){.id = 4}); /* once */
    assert_false(desk_hear(d));
    desk_event(d, (struct node_event){.id = 3, .err = ERR_OFFLINE});
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "offline");
    assert_int_equal(d->waits.end, 0);
    desk_close(d);
}

static void a_deadline_ends_it_in_the_kinds_own_way(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    add(d, &plain, 1, d->now_us + 2 * S);
    add(d, &own_end, 2, d->now_us + 3 * S);
    assert_int_equal(waits_deadline_us(&d->waits), d->now_us + 2 * S);
    desk_pass(d, 2 * S - 1);
    assert_false(desk_hear(d));
    desk_pass(d, 1);
    assert_true(desk_hear(d));
    assert_string_equal(desk_str(d, "code"), "timeout");
    assert_string_equal(desk_str(d, "text"), "it is late");
    desk_pass(d, S);
    assert_true(desk_hear(d));
    assert_int_equal(d->heard.id, 2);
    assert_int_equal(waits_deadline_us(&d->waits), UINT64_MAX);
    desk_close(d);
}

static void who_goes_away_is_answered_no_more(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct wait *w = add(d, &plain, 1, UINT64_MAX);
    w->text = strdup("secret");
    dropped = 0;
    conn_end(&d->conns, d->now_us, d->conn);
    desk_event(d, (struct node_event){.id = 1}); /* before it is let go of */
    assert_int_equal(d->waits.end, 1);
    waits_drop_conn(&d->waits, d->now_us, d->conn->index);
    assert_int_equal(dropped, 1);
    assert_int_equal(d->waits.end, 0);
    assert_false(desk_hear(d));
    desk_close(d);
}

static void a_connection_has_as_many_as_are_free(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    unsigned n = 0;
    while (add(d, &plain, n, UINT64_MAX))
        n++;
    assert_int_equal(n, CONTROL_WAITS_MAX / 2);
    assert_int_equal(d->call.cause.limit, LIMIT_REQUESTS);
    uint32_t handle;
    assert_int_equal(conn_open(&d->conns, &handle), 0);
    d->conn = conn_find(&d->conns, handle);
    for (n = 0; add(d, &plain, n, UINT64_MAX);)
        n++;
    assert_int_equal(n, CONTROL_WAITS_MAX / 4);
    desk_close(d);
}

static void attempts_of_a_turn_are_few(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    for (unsigned i = 0; i < 20; i++)
        add(d, &plain, i, UINT64_MAX)->retry_us = d->now_us + S;
    retried = 0;
    desk_pass(d, S);
    assert_int_equal(retried, CONTROL_RETRIES);
    assert_true(waits_deadline_us(&d->waits) <= d->now_us);
    desk_pass(d, 0);
    desk_pass(d, 0);
    assert_int_equal(retried, 20);
    desk_close(d);
}

static void it_follows_its_contact_to_the_new_name(void **state) {
    (void)state;
    struct desk *d = desk_open(NULL);
    struct wait *w = add(d, &plain, 1, UINT64_MAX), *named = add(d, &own_end, 2, UINT64_MAX);
    strcpy(w->contact, "old");
    strcpy(named->contact, "old");
    desk_event(d, (struct node_event){
                      .kind = NODE_CONTACT_RENAMED, .contact = "new", .detail = "old", .id = 9});
    assert_string_equal(w->contact, "new");
    assert_string_equal(named->contact, "old");
    desk_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_answers_the_one_that_waits_for_it),
        cmocka_unit_test(a_deadline_ends_it_in_the_kinds_own_way),
        cmocka_unit_test(who_goes_away_is_answered_no_more),
        cmocka_unit_test(a_connection_has_as_many_as_are_free),
        cmocka_unit_test(attempts_of_a_turn_are_few),
        cmocka_unit_test(it_follows_its_contact_to_the_new_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
