/* What a hostile sender may write into a manifest, and what comes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/tree/treehash.h"
#include "node/channel/delimited.h"
#include "node/channel/pack.h"
#include "node/channel/reply.h"
#include "node/file/manifest/manifest_in.h"
#include "node/file/manifest/manifest_out.h"

#define LIT(s) s, sizeof s - 1

static void names_that_could_escape_or_deceive_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *name;
        size_t len;
        bool ok;
    } cases[] = {
        {LIT("a"), true},
        {LIT("a b.txt"), true},
        {LIT("..."), true},
        {LIT(".hidden"), true},
        {LIT("..x"), true},
        {LIT("Gr\xc3\xbc\xc3\x9f"
             "e.pdf"),
         true},
        {LIT("\xe4\xbd\xa0\xe5\xa5\xbd"), true},
        {LIT("-rf"), true},
        {LIT("$(reboot)"), true},
        {LIT(""), false},
        {LIT("."), false},
        {LIT(".."), false},
        {LIT("/"), false},
        {LIT("/etc/passwd"), false},
        {LIT("../escaped.txt"), false},
        {LIT("a/b"), false},
        {LIT("a/../../x"), false},
        {LIT("a\\b"), false},
        {LIT("..\\x"), false},
        {LIT("nul\0byte"), false},
        {LIT("new\nline"), false},
        {LIT("tab\t"), false},
        {LIT("\x1b[2J"), false},
        {LIT("del\x7f"), false},
        {LIT("c1\xc2\x85"), false},
        {LIT("photo\xe2\x80\xaegpj.exe"), false},
        {LIT("iso\xe2\x81\xa7"), false},
        {LIT("in\xe2\x80\x8bvisible"), false},
        {LIT("bom\xef\xbb\xbf"), false},
        {LIT("sep\xe2\x80\xa9"), false},
        {LIT("\xff"), false},
        {LIT("cut\xc3"), false},
        {LIT("over\xc0\xaf"), false},
        {LIT("sur\xed\xa0\x80"), false},
        {LIT(".meshd-0123456789abcdef.part"), false},
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (manifest_name_ok(cases[i].name, cases[i].len) != cases[i].ok)
            fail_msg("case %u: %s", i, cases[i].name);
    char longest[257];
    memset(longest, 'x', sizeof longest);
    assert_true(manifest_name_ok(longest, 255));
    assert_false(manifest_name_ok(longest, 256));
}

static const uint8_t key[MANIFEST_KEY_BYTES] = {1, 2, 3};

/* In pieces of so many bytes. */
static int decode_pieces(struct manifest *m, const void *body, size_t len, size_t piece) {
    const uint8_t *p = body;
    struct manifest_in in;
    int err = 0;
    *m = (struct manifest){0};
    manifest_in_init(&in, key);
    for (size_t at = 0; at < len && !err; at += piece)
        err = manifest_in_feed(&in, p + at, len - at < piece ? len - at : piece);
    if (!err)
        err = manifest_in_take(&in, m);
    manifest_in_clear(&in);
    return err;
}

/* The same whether it comes at once or byte by byte. */
static int decode_body(struct manifest *m, const void *body, size_t len) {
    struct manifest other;
    const int err = decode_pieces(m, body, len, len ? len : 1);
    assert_int_equal(decode_pieces(&other, body, len, len > 100000 ? 1000 : 1), err);
    assert_int_equal(other.count, m->count);
    assert_int_equal(other.total_bytes, m->total_bytes);
    manifest_clear(&other);
    return err;
}

/* All that goes out for it: heap. */
static uint8_t *encode(const struct manifest *m, size_t *len) {
    uint64_t body = manifest_head_bytes(m->count);
    for (uint32_t i = 0; i < m->count; i++)
        body += manifest_file_bytes(&m->files[i]);
    struct manifest_out out = {0};
    uint8_t *all = malloc(body + 16);
    const uint8_t *p;
    size_t n;
    *len = 0;
    while ((n = manifest_out_next(&out, m, body, &p)) > 0) {
        n = n > 100 ? n - 99 : 1; /* a stream may take less than it is offered */
        memcpy(all + *len, p, n);
        *len += n;
        manifest_out_gone(&out, n);
    }
    return all;
}

/* One file's map with the given name. */
static void one_file(struct packer *p, const char *name, size_t len, uint64_t size) {
    packer_map(p, 2);
    packer_key(p, "n");
    packer_str(p, name, len);
    packer_key(p, "s");
    packer_uint(p, size);
}

static void head(struct packer *p, uint64_t version, uint64_t alg, size_t files) {
    packer_init(p);
    packer_map(p, 3);
    packer_key(p, "v");
    packer_uint(p, version);
    packer_key(p, "alg");
    packer_uint(p, alg);
    packer_key(p, "files");
    packer_array(p, files);
}

static int decode(struct packer *p) {
    struct manifest m;
    int err = decode_body(&m, p->buf.data, p->buf.size);
    if (err)
        assert_null(m.files);
    manifest_clear(&m);
    packer_clear(p);
    return err;
}

static void a_manifest_survives_the_wire(void **state) {
    (void)state;
    enum { FILES = 300 };
    struct manifest a, b;
    manifest_init(&a, key);
    for (unsigned i = 0; i < FILES; i++) {
        char name[16];
        assert_int_equal(manifest_add(&a, name, (size_t)snprintf(name, sizeof name, "file %u", i)),
                         0);
        a.files[i].size = (UINT64_C(1) << (i % 40)) - i % 2;
        a.files[i].mtime_s = ((int64_t)i - 150) * (i % 3 ? 1 : INT64_C(40000000000));
        a.files[i].mode = i % 0777;
        a.total_bytes += a.files[i].size;
    }
    size_t len, used;
    uint8_t *out = encode(&a, &len);
    assert_int_equal(out[0], 1);
    struct blob_in in;
    blob_in_init(&in, MANIFEST_MAX_BYTES);
    for (size_t i = 1; i < len; i++) { /* byte by byte */
        assert_false(in.whole);
        assert_int_equal(blob_in_feed(&in, out + i, 1, &used), 0);
        assert_int_equal(used, 1);
    }
    assert_true(in.whole);
    assert_int_equal(decode_body(&b, in.buf, in.len), 0);
    assert_int_equal(b.count, FILES);
    assert_int_equal(b.total_bytes, a.total_bytes);
    for (unsigned i = 0; i < FILES; i++) {
        assert_string_equal(a.files[i].name, b.files[i].name);
        assert_int_equal(a.files[i].size, b.files[i].size);
        assert_int_equal(a.files[i].mode, b.files[i].mode);
        assert_int_equal(a.files[i].mtime_s, b.files[i].mtime_s);
    }
    /* Cut anywhere or one bit off: refused or decoded, never worse (the sanitizers watch). */
    for (size_t i = 0; i < in.len; i += 1 + i / 64) {
        struct manifest c;
        assert_int_equal(decode_body(&c, in.buf, i), ERR_PROTO);
        in.buf[i] ^= (uint8_t)(1u << (i % 8));
        if (decode_body(&c, in.buf, in.len) == 0)
            manifest_clear(&c);
        in.buf[i] ^= (uint8_t)(1u << (i % 8));
    }
    blob_in_clear(&in);
    free(out);
    manifest_clear(&a);
    manifest_clear(&b);
}

static void broken_manifests_are_refused(void **state) {
    (void)state;
    struct packer p;
    head(&p, 1, TREEHASH_ALG, 1);
    one_file(&p, LIT("good"), 1);
    assert_int_equal(decode(&p), 0);
    head(&p, 2, TREEHASH_ALG, 1);
    one_file(&p, LIT("later version"), 1);
    assert_int_equal(decode(&p), ERR_UNSUPPORTED);
    head(&p, 1, 99, 1);
    one_file(&p, LIT("unknown hash"), 1);
    assert_int_equal(decode(&p), ERR_UNSUPPORTED);
    head(&p, 1, TREEHASH_ALG, 0);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 1);
    one_file(&p, LIT("../x"), 1);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 2);
    one_file(&p, LIT("twice"), 1);
    one_file(&p, LIT("twice"), 2);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 2);
    one_file(&p, LIT("huge"), UINT64_MAX / 4);
    one_file(&p, LIT("huge too"), UINT64_MAX / 4);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 1);
    one_file(&p, LIT("too huge"), UINT64_MAX);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 1);
    packer_uint(&p, 7);
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, 1);
    one_file(&p, LIT("something follows"), 1);
    packer_uint(&p, 7);
    assert_int_equal(decode(&p), ERR_PROTO);
}

static void counts_are_not_believed_before_memory_is_taken(void **state) {
    (void)state;
    static const struct {
        const uint8_t bytes[16];
        size_t len;
    } cases[] = {
        {{0xdd, 0xff, 0xff, 0xff, 0xff}, 5},             /* array of 4 G */
        {{0xdf, 0xff, 0xff, 0xff, 0xff}, 5},             /* map of 4 G */
        {{0xdc, 0xff, 0xff, 0xc0}, 4},                   /* array of 64 Ki, one there */
        {{0xdb, 0xff, 0xff, 0xff, 0xff, 'x'}, 6},        /* str of 4 G */
        {{0xc6, 0x80, 0, 0, 0, 'x'}, 6},                 /* bin of 2 G */
        {{0xc9, 0xff, 0xff, 0xff, 0xff, 1}, 6},          /* ext of 4 G */
        {{0x91, 0x91, 0x91, 0x91, 0x91, 0x91, 0xc0}, 7}, /* deep */
        {{0x81, 0xa1, 'v'}, 3},                          /* a pair without its value */
        {{0xc1}, 1},                                     /* never used */
        {{0xcf, 1, 2, 3}, 4},                            /* cut integer */
    };
    for (unsigned i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct manifest m;
        assert_false(pack_scan(cases[i].bytes, cases[i].len, 4, 1000));
        assert_int_equal(decode_body(&m, cases[i].bytes, cases[i].len), ERR_PROTO);
    }
    struct packer p;
    head(&p, 1, TREEHASH_ALG, TRANSFER_FILES_MAX + 1);
    for (unsigned i = 0; i <= TRANSFER_FILES_MAX; i++) {
        char name[16];
        one_file(&p, name, (size_t)snprintf(name, sizeof name, "%u", i), 0);
    }
    assert_int_equal(decode(&p), ERR_PROTO);
    head(&p, 1, TREEHASH_ALG, TRANSFER_FILES_MAX);
    for (unsigned i = 0; i < TRANSFER_FILES_MAX; i++) {
        char name[16];
        one_file(&p, name, (size_t)snprintf(name, sizeof name, "%u", i), 0);
    }
    assert_int_equal(decode(&p), 0);
}

static void a_blob_longer_than_allowed_is_refused_before_it_is_read(void **state) {
    (void)state;
    struct blob_in in;
    size_t used;
    blob_in_init(&in, 1000);
    assert_int_equal(blob_in_feed(&in, (const uint8_t *)"\x43\xe9", 2, &used),
                     ERR_PROTO); /* 1001 */
    assert_int_equal(in.cap, 0);
    blob_in_clear(&in);
    assert_int_equal(blob_in_feed(&in, (const uint8_t *)"\x00", 1, &used), ERR_PROTO);
    blob_in_clear(&in);
    assert_int_equal(blob_in_feed(&in, (const uint8_t *)"\x43\xe8xy", 4, &used), 0);
    assert_int_equal(used, 4);
    assert_true(in.cap <= 1000);
    blob_in_clear(&in);
}

static void answers_survive_the_wire(void **state) {
    (void)state;
    struct reply cases[] = {
        {0},
        {.has_files = true, .files = 65536},
        {.err = ERR_INTEGRITY},
        {.err = ERR_EXISTS, .file = "taken.txt"},
    };
    memset(cases[2].file, 'n', REPLY_FILE_MAX);
    for (unsigned i = 0; i < 4; i++) {
        uint8_t out[REPLY_MAX_BYTES];
        size_t len, used;
        struct reply r;
        struct blob_in in;
        assert_int_equal(reply_encode(&cases[i], out, &len), 0);
        blob_in_init(&in, REPLY_MAX_BYTES);
        assert_int_equal(blob_in_feed(&in, out, len, &used), 0);
        assert_true(in.whole && used == len);
        assert_int_equal(reply_decode(&r, in.buf, in.len), 0);
        assert_memory_equal(&r, &cases[i], sizeof r);
        blob_in_clear(&in);
    }
    struct reply r;
    assert_int_equal(reply_decode(&r, (const uint8_t *)"\x80", 1), ERR_PROTO);
    assert_int_equal(reply_decode(&r, (const uint8_t *)"\x81\xa2ok\xc2", 5), ERR_PROTO);
    assert_int_equal(reply_decode(&r,
                                  (const uint8_t *)"\x81\xa3"
                                                   "err\x00",
                                  6),
                     ERR_PROTO);
    assert_int_equal(reply_decode(&r, (const uint8_t *)"\x82\xa2ok\xc3\xa2ok\xc3", 9), ERR_PROTO);
    assert_int_equal(reply_decode(&r,
                                  (const uint8_t *)"\x81\xa3"
                                                   "err\xcd\x7f\xff",
                                  8),
                     0);
    assert_int_equal(r.err, ERR_FAILED); /* a newer peer's number */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_could_escape_or_deceive_are_refused),
        cmocka_unit_test(a_manifest_survives_the_wire),
        cmocka_unit_test(broken_manifests_are_refused),
        cmocka_unit_test(counts_are_not_believed_before_memory_is_taken),
        cmocka_unit_test(a_blob_longer_than_allowed_is_refused_before_it_is_read),
        cmocka_unit_test(answers_survive_the_wire),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
