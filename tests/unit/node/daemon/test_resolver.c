/* Names looked up by the system on a loop: what is found comes back, and so does what is not; a
 * resolver that is closed says nothing more. Only names that need no network are asked for.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "node/daemon/resolver.h"

static struct {
    uint64_t id;
    unsigned times, ended, count;
    struct addr addrs[RESOLVE_ADDRS_MAX];
} heard;

static void found(void *ctx, uint64_t id, const struct addr *addrs, unsigned count) {
    (void)ctx;
    heard.id = id;
    heard.times++;
    heard.count = count;
    if (count > 0)
        memcpy(heard.addrs, addrs, count * sizeof *addrs);
}

static void all_found(void *ctx) {
    (void)ctx;
    heard.ended++;
}

static uv_loop_t loop;
static struct log quiet;

static struct resolver opened(void) {
    memset(&heard, 0, sizeof heard);
    assert_int_equal(uv_loop_init(&loop), 0);
    quiet.level = LOG_ERROR;
    return (struct resolver){.loop = &loop, .log = &quiet, .found = found, .all_found = all_found};
}

static void ask(struct resolver *r, uint64_t id, const char *host) {
    struct resolve name = {.id = id};
    snprintf(name.host, sizeof name.host, "%s", host);
    resolver_ask(r, &name);
}

static void close_all(struct resolver *r) {
    assert_true(resolver_close(r));
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void what_is_found_comes_back_once_each(void **state) {
    (void)state;
    struct resolver r = opened();
    resolver_open(&r);
    ask(&r, 7, "127.0.0.1"); /* the system's own text form: no server is asked */
    assert_int_equal(heard.times, 0);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.ended, 1);
    assert_int_equal(heard.id, 7);
    assert_int_equal(heard.count, 1);
    assert_int_equal(heard.addrs[0].kind, ADDR_IPV4);
    assert_true(addr_is_loopback(&heard.addrs[0]));
    ask(&r, 8, "localhost");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 2);
    assert_int_equal(heard.id, 8);
    for (unsigned i = 0; i < heard.count; i++) {
        assert_true(addr_is_loopback(&heard.addrs[i]));
        for (unsigned k = 0; k < i; k++)
            assert_false(addr_equal(&heard.addrs[i], &heard.addrs[k]));
    }
    close_all(&r);
}

static void what_cannot_be_a_name_comes_back_without_addresses(void **state) {
    (void)state;
    struct resolver r = opened();
    char longest[RELAY_HOST_MAX + 1];
    memset(longest, 'x', RELAY_HOST_MAX); /* a label of 253 characters is sent to no server */
    longest[RELAY_HOST_MAX] = '\0';
    resolver_open(&r);
    ask(&r, 3, longest);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 1);
    assert_int_equal(heard.id, 3);
    assert_int_equal(heard.count, 0);
    for (uint64_t id = 10; id < 10 + RESOLVE_OUT_MAX; id++)
        ask(&r, id, "127.0.0.1");
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 1 + RESOLVE_OUT_MAX);
    close_all(&r);
}

/* All workers are busy, so that nothing that is asked for has begun. */
static uv_sem_t go;
static void wait_for_go(uv_work_t *w) {
    (void)w;
    uv_sem_wait(&go);
}

static void a_closed_one_says_nothing_more(void **state) {
    (void)state;
    enum { WORKERS = 64 };
    static uv_work_t work[WORKERS];
    struct resolver r = opened();
    assert_int_equal(uv_sem_init(&go, 0), 0);
    resolver_open(&r);
    for (unsigned i = 0; i < WORKERS; i++)
        assert_int_equal(uv_queue_work(&loop, &work[i], wait_for_go, NULL), 0);
    ask(&r, 1, "127.0.0.1");
    ask(&r, 2, "127.0.0.1");
    assert_true(resolver_close(&r));
    for (unsigned i = 0; i < WORKERS; i++)
        uv_sem_post(&go);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(heard.times, 0);
    assert_int_equal(heard.ended, 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    uv_sem_destroy(&go);
}

static void one_of_zeroes_closes(void **state) {
    (void)state;
    struct resolver r = {.loop = NULL};
    assert_true(resolver_close(&r));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_found_comes_back_once_each),
        cmocka_unit_test(what_cannot_be_a_name_comes_back_without_addresses),
        cmocka_unit_test(a_closed_one_says_nothing_more),
        cmocka_unit_test(one_of_zeroes_closes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
