/* vectors.h: what the vector programs share: a JSON file or the reason why there is none, and hex.
 * The files are public test vectors that live outside this tree (MESH_VECTORS names their folder).
 */
#ifndef MESHD_TESTS_VECTORS_H
#define MESHD_TESTS_VECTORS_H

#include <jansson.h>
#include <sodium.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_SKIPPED = 77, BLOB_MAX = 4096 };

struct blob {
    uint8_t p[BLOB_MAX];
    size_t len;
};

/* True, after saying so, if one of the files is not there to be read. */
static inline bool vectors_missing(int argc, char **argv) {
    for (int i = 1; i < argc; i++) {
        if (access(argv[i], R_OK) != 0) {
            printf("skipped: cannot read %s (set MESH_VECTORS to the folder of test vectors)\n",
                   argv[i]);
            return true;
        }
    }
    return false;
}

static inline json_t *vectors_load(const char *path) {
    json_error_t e;
    json_t *root = json_load_file(path, 0, &e);
    if (!root)
        fprintf(stderr, "%s:%d: %s\n", path, e.line, e.text);
    return root;
}

/* The hex member `name` of `o`; false if there is none. Malformed hex ends the program. */
static inline bool vectors_hex(const json_t *o, const char *name, struct blob *out) {
    const char *hex = json_string_value(json_object_get(o, name));
    out->len = 0;
    if (!hex)
        return false;
    if (sodium_hex2bin(out->p, sizeof out->p, hex, strlen(hex), NULL, &out->len, NULL) != 0 ||
        out->len * 2 != strlen(hex)) {
        fprintf(stderr, "%s is not hex of at most %d bytes\n", name, BLOB_MAX);
        exit(1);
    }
    return true;
}

static inline bool blob_is(const struct blob *b, const uint8_t *p, size_t len) {
    return b->len == len && memcmp(b->p, p, len) == 0;
}

#endif
