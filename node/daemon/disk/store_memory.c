#include "node/daemon/disk/store_memory.h"

#include <sodium.h>
#include <sqlite3.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Before each piece stands its size, as far as alignment asks for. */
enum { HEAD_BYTES = alignof(max_align_t), PIECE_BYTES = 8 };
_Static_assert(HEAD_BYTES >= sizeof(int), "room for the size");

static int piece_size(void *p) {
    int n = 0;
    if (p)
        memcpy(&n, (char *)p - HEAD_BYTES, sizeof n);
    return n;
}

static void *piece_new(int n) {
    char *p = malloc((size_t)n + HEAD_BYTES);
    if (!p)
        return NULL;
    memcpy(p, &n, sizeof n);
    return p + HEAD_BYTES;
}

static void piece_free(void *p) {
    if (!p)
        return;
    sodium_memzero(p, (size_t)piece_size(p));
    free((char *)p - HEAD_BYTES);
}

static void *piece_grow(void *p, int n) {
    void *grown = piece_new(n);
    if (!grown)
        return NULL;
    int had = piece_size(p);
    memcpy(grown, p, (size_t)(had < n ? had : n));
    piece_free(p);
    return grown;
}

static int round_up(int n) {
    return (n + PIECE_BYTES - 1) / PIECE_BYTES * PIECE_BYTES;
}

static int begin(void *ctx) {
    (void)ctx;
    return SQLITE_OK;
}

static void end(void *ctx) {
    (void)ctx;
}

void store_memory_init(void) {
    static const sqlite3_mem_methods methods = {piece_new, piece_free, piece_grow, piece_size,
                                                round_up,  begin,      end,        NULL};
    /* Refused while a database is open: then it has been done. */
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    (void)sqlite3_config(SQLITE_CONFIG_PAGECACHE, NULL, 0, 0);
}

void store_memory_of(struct sqlite3 *db) {
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_LOOKASIDE, NULL, 0, 0);
}
