/* What the database has deleted or replaced is overwritten: no file of it holds the bytes any more
 * once it is closed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "node/daemon/disk/store_sqlite.h"

enum { ROWS = 300, SECRET_BYTES = 64 };

static const struct log quiet = {LOG_ERROR};
static char dir[64];

static void path_of(char out[static 96], const char *tail) {
    snprintf(out, 96, "%s/meshd.db%s", dir, tail);
}

static struct store_sqlite *open_db(struct store *s) {
    struct store_sqlite *db;
    char path[96];
    path_of(path, "");
    assert_int_equal(store_sqlite_open(&db, s, path, &quiet), 0);
    return db;
}

/* Bytes of row i, which are nowhere else. */
static void secret(unsigned i, uint8_t out[static SECRET_BYTES]) {
    for (unsigned k = 0; k < SECRET_BYTES; k++)
        out[k] = (uint8_t)(i * 131 + k * 7 + (i >> 4) * k);
}

static unsigned found(unsigned i) {
    static const char *const tails[] = {"", "-wal", "-shm", "-journal"};
    static uint8_t buf[8 << 20];
    uint8_t needle[SECRET_BYTES];
    unsigned n = 0;
    secret(i, needle);
    for (unsigned t = 0; t < 4; t++) {
        char path[96];
        path_of(path, tails[t]);
        FILE *f = fopen(path, "rb");
        if (!f)
            continue;
        size_t len = fread(buf, 1, sizeof buf, f);
        assert_true(len < sizeof buf);
        fclose(f);
        const uint8_t *p = buf;
        while ((p = memmem(p, (size_t)(buf + len - p), needle, sizeof needle)) != NULL) {
            n++;
            p++;
        }
    }
    return n;
}

static int begin(void **state) {
    struct store s;
    (void)state;
    strcpy(dir, "/tmp/meshd-delete-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    struct store_sqlite *db = open_db(&s);
    for (unsigned i = 0; i < ROWS; i++) {
        uint8_t value[SECRET_BYTES];
        secret(i, value);
        assert_int_equal(s.put(s.ctx, "tickets", &i, sizeof i, value, sizeof value), 0);
    }
    store_sqlite_close(db);
    return 0;
}

static int end(void **state) {
    char command[96];
    (void)state;
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void a_deleted_row_is_overwritten(void **state) {
    (void)state;
    struct store s;
    assert_int_equal(found(5), 1); /* the search works */
    struct store_sqlite *db = open_db(&s);
    for (unsigned i = 0; i < ROWS; i += 5)
        assert_int_equal(s.del(s.ctx, "tickets", &i, sizeof i), 0);
    store_sqlite_close(db);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(found(i), i % 5 == 0 ? 0 : 1);
}

static void a_replaced_value_is_overwritten(void **state) {
    (void)state;
    struct store s;
    struct store_sqlite *db = open_db(&s);
    for (unsigned i = 1; i < ROWS; i += 5)
        assert_int_equal(s.put(s.ctx, "tickets", &i, sizeof i, "gone", 4), 0);
    store_sqlite_close(db);
    for (unsigned i = 1; i < ROWS; i += 5)
        assert_int_equal(found(i), 0);
}

static void when_all_are_deleted_none_is_left(void **state) {
    (void)state;
    struct store s;
    struct store_sqlite *db = open_db(&s);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(s.del(s.ctx, "tickets", &i, sizeof i), 0);
    store_sqlite_close(db);
    for (unsigned i = 0; i < ROWS; i++)
        assert_int_equal(found(i), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deleted_row_is_overwritten),
        cmocka_unit_test(a_replaced_value_is_overwritten),
        cmocka_unit_test(when_all_are_deleted_none_is_left),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
