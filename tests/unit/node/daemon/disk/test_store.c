/* What a store promises (node/base/store.h), of SQLite and of the simulator's: one test body for
 * both.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "node/base/keep.h"
#include "node/base/turn.h"
#include "node/daemon/disk/store_sqlite.h"
#include "sim/disk/store_mem.h"

struct kind {
    struct store_sqlite *db;
    struct store_mem *mem;
    struct store store;
    char dir[32], path[64];
    struct log log;
};

static int setup_sqlite(void **state) {
    struct kind *k = calloc(1, sizeof *k);
    k->log.level = LOG_ERROR;
    snprintf(k->dir, sizeof k->dir, "kinds-XXXXXX");
    assert_non_null(mkdtemp(k->dir));
    snprintf(k->path, sizeof k->path, "%s/meshd.db", k->dir);
    assert_int_equal(store_sqlite_open(&k->db, &k->store, k->path, &k->log), 0);
    *state = k;
    return 0;
}

static int teardown_sqlite(void **state) {
    struct kind *k = *state;
    char path[80];
    store_sqlite_close(k->db);
    unlink(k->path);
    snprintf(path, sizeof path, "%s-wal", k->path);
    unlink(path);
    assert_int_equal(rmdir(k->dir), 0);
    free(k);
    return 0;
}

static int setup_mem(void **state) {
    struct kind *k = calloc(1, sizeof *k);
    k->mem = store_mem_new();
    k->store = store_mem_face(k->mem);
    *state = k;
    return 0;
}

static int teardown_mem(void **state) {
    struct kind *k = *state;
    store_mem_free(k->mem);
    free(k);
    return 0;
}

static void put(const struct store *s, const char *table, const void *key, size_t key_len,
                const char *value) {
    assert_int_equal(s->put(s->ctx, table, key, key_len, value, strlen(value)), 0);
}

typedef int step_fn(void *ctx, const char *table, void *key, size_t *key_len, void *value,
                    size_t cap, size_t *len);

/* One step from `from`; the value of what is there, NULL: nothing. */
static const char *step(const struct store *s, step_fn *go, const char *table, const void *from,
                        size_t from_len, uint8_t key[STORE_KEY_MAX], size_t *key_len) {
    static char value[64];
    size_t len = 0;
    memcpy(key, from, from_len);
    *key_len = from_len;
    const int err = go(s->ctx, table, key, key_len, value, sizeof value - 1, &len);
    if (err == ERR_NOT_FOUND)
        return NULL;
    assert_int_equal(err, 0);
    value[len] = '\0';
    return value;
}

static const char *prev_of(const struct store *s, const char *table, const char *from) {
    uint8_t key[STORE_KEY_MAX];
    size_t len;
    return step(s, s->prev, table, from, strlen(from), key, &len);
}

static const char *next_of(const struct store *s, const char *table, const char *from) {
    uint8_t key[STORE_KEY_MAX];
    size_t len;
    return step(s, s->next, table, from, strlen(from), key, &len);
}

/* ---- promises ---- */
static void neighbours_are_found_both_ways(void **state) {
    const struct kind *k = *state;
    const struct store *s = &k->store;
    assert_null(prev_of(s, "t", ""));
    assert_null(prev_of(s, "t", "x"));
    put(s, "s", "zz", 2, "another table's");
    put(s, "u", "a", 1, "another table's");
    put(s, "t", "b", 1, "b");
    put(s, "t", "bb", 2, "bb");
    put(s, "t", "d", 1, "d");
    assert_string_equal(prev_of(s, "t", ""), "d"); /* the last of the table */
    assert_string_equal(prev_of(s, "t", "\xff"), "d");
    assert_string_equal(prev_of(s, "t", "d"), "bb");
    assert_string_equal(prev_of(s, "t", "c"), "bb"); /* a key that is not there */
    assert_string_equal(prev_of(s, "t", "bb"), "b"); /* a prefix comes first */
    assert_null(prev_of(s, "t", "b"));
    assert_null(prev_of(s, "t", "a"));
    assert_string_equal(next_of(s, "t", ""), "b");
    assert_string_equal(next_of(s, "t", "b"), "bb");
    assert_string_equal(next_of(s, "t", "c"), "d");
    assert_null(next_of(s, "t", "d"));
}

/* Bytes are compared as bytes, whatever they are. */
static void a_walk_back_is_the_walk_forth_reversed(void **state) {
    const struct kind *k = *state;
    const struct store *s = &k->store;
    enum { COUNT = 300 };
    uint8_t forth[COUNT][STORE_KEY_MAX], key[STORE_KEY_MAX];
    size_t lens[COUNT], len = 0, n = 0;
    for (unsigned i = 0; i < COUNT; i++) {
        const uint8_t made[3] = {(uint8_t)(i * 37), (uint8_t)(i / 7), 0};
        put(s, "walk", made, 1 + i % 3, "v");
    }
    while (step(s, s->next, "walk", key, len, key, &len)) {
        memcpy(forth[n], key, len);
        lens[n++] = len;
    }
    assert_true(n > COUNT / 2);
    len = 0;
    while (step(s, s->prev, "walk", key, len, key, &len)) {
        assert_true(n > 0);
        n--;
        assert_int_equal(len, lens[n]);
        assert_memory_equal(key, forth[n], len);
    }
    assert_int_equal(n, 0);
}

static void a_value_that_is_too_long_is_passed_over(void **state) {
    const struct kind *k = *state;
    const struct store *s = &k->store;
    char value[4];
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = 0, len = 0;
    put(s, "long", "a", 1, "short");
    put(s, "long", "b", 1, "longer");
    assert_int_equal(s->prev(s->ctx, "long", key, &key_len, value, sizeof value, &len), ERR_FULL);
    assert_int_equal(len, 6);
    assert_int_equal(key_len, 1);
    assert_int_equal(key[0], 'b');
    assert_string_equal(prev_of(s, "long", "b"), "short");
}

static void a_transaction_sees_itself_both_ways(void **state) {
    const struct kind *k = *state;
    const struct store *s = &k->store;
    put(s, "trans", "a", 1, "a");
    assert_int_equal(s->begin(s->ctx), 0);
    put(s, "trans", "b", 1, "b");
    assert_string_equal(prev_of(s, "trans", ""), "b");
    assert_int_equal(s->del(s->ctx, "trans", "a", 1), 0);
    assert_null(prev_of(s, "trans", "b"));
    s->rollback(s->ctx);
    assert_string_equal(prev_of(s, "trans", ""), "a");
}

/* ---- and through keep ---- */
static const char *last_of(struct keep *keep, const void *prefix, size_t prefix_len) {
    static char value[64];
    uint8_t key[STORE_KEY_MAX];
    size_t key_len = prefix_len, len = 0;
    memcpy(key, prefix, prefix_len);
    const int err = keep_last(keep, "p", key, &key_len, value, sizeof value - 1, &len);
    if (err == ERR_NOT_FOUND)
        return NULL;
    assert_int_equal(err, 0);
    assert_memory_equal(key, prefix, prefix_len);
    value[len] = '\0';
    return value;
}

static void the_last_of_a_prefix(void **state) {
    const struct kind *k = *state;
    struct turn turn = {.env.store = k->store};
    struct keep keep = {.turn = &turn};
    const struct store *s = &k->store;
    assert_null(last_of(&keep, "", 0));
    put(s, "p", "ab1", 3, "ab1");
    put(s, "p", "ab\xff\xff", 4, "ab end");
    put(s, "p", "ac", 2, "ac");
    put(s, "p", "\xff", 1, "ff");
    put(s, "p", "\xff\xff\x01", 3, "ffff01");
    assert_string_equal(last_of(&keep, "", 0), "ffff01");
    assert_string_equal(last_of(&keep, "a", 1), "ac");
    assert_string_equal(last_of(&keep, "ab", 2), "ab end");
    assert_string_equal(last_of(&keep, "ab1", 3), "ab1");
    assert_string_equal(last_of(&keep, "ab\xff", 3), "ab end");
    assert_string_equal(last_of(&keep, "\xff\xff", 2), "ffff01");
    assert_string_equal(last_of(&keep, "\xff", 1), "ffff01");
    assert_null(last_of(&keep, "\xff\xff\xff", 3));
    assert_null(last_of(&keep, "aa", 2));
    assert_null(last_of(&keep, "b", 1));
}

#define PROMISE(name)                                                                              \
    cmocka_unit_test_setup_teardown(name, setup_sqlite, teardown_sqlite),                          \
        cmocka_unit_test_setup_teardown(name, setup_mem, teardown_mem)

int main(void) {
    const struct CMUnitTest tests[] = {
        PROMISE(neighbours_are_found_both_ways),
        PROMISE(a_walk_back_is_the_walk_forth_reversed),
        PROMISE(a_value_that_is_too_long_is_passed_over),
        PROMISE(a_transaction_sees_itself_both_ways),
        PROMISE(the_last_of_a_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
