/* wycheproof.c: X25519 and Ed25519 of this project against Wycheproof's vectors.
 *
 *   wycheproof_vectors X25519.json ED25519.json
 *
 * X25519: every "valid" and "acceptable" shared secret must come out, but an all-zero one must be
 * refused (crypto/noise/dh, which Noise uses). Ed25519: crypto/identity/sign must accept what is
 * "valid" and refuse what is "invalid"; there is no third kind. Exit codes: 0 all right, 1 a
 * mismatch or nothing to run, 77 a file is missing.
 */
#include "crypto/identity/sign.h"
#include "crypto/noise/dh.h"
#include "tests/vectors/vectors.h"

struct score {
    size_t ran, failed, refused;
};

static long long tc_id(const json_t *test) {
    return (long long)json_integer_value(json_object_get(test, "tcId"));
}

static bool result_is(const json_t *test, const char *what) {
    const char *result = json_string_value(json_object_get(test, "result"));
    return result && strcmp(result, what) == 0;
}

static void fail(struct score *s, const json_t *test, const char *why) {
    s->failed++;
    fprintf(stderr, "tcId %lld (%s): %s\n", tc_id(test),
            json_string_value(json_object_get(test, "comment")), why);
}

static void x25519_test(const json_t *test, struct score *s) {
    static struct blob pub, sec, shared;
    struct dh_public theirs;
    struct dh_secret ours;
    uint8_t got[DH_KEY_BYTES];

    s->ran++;
    if (!vectors_hex(test, "public", &pub) || !vectors_hex(test, "private", &sec) ||
        !vectors_hex(test, "shared", &shared) || pub.len != 32 || sec.len != 32) {
        fail(s, test, "not in the expected form");
        return;
    }
    memcpy(theirs.bytes, pub.p, 32);
    memcpy(ours.bytes, sec.p, 32);
    bool ok = dh_shared(got, &ours, &theirs);
    if (sodium_is_zero(shared.p, shared.len)) {
        s->refused++;
        if (ok)
            fail(s, test, "an all-zero shared secret was not refused");
    } else if (result_is(test, "valid") || result_is(test, "acceptable")) {
        if (!ok)
            fail(s, test, "refused");
        else if (!blob_is(&shared, got, sizeof got))
            fail(s, test, "another shared secret");
    } else if (ok) {
        fail(s, test, "an invalid one was taken");
    }
}

static void ed25519_test(const json_t *group, const json_t *test, struct score *s) {
    static struct blob pk, msg, sig;
    struct node_id id;

    s->ran++;
    if (!vectors_hex(json_object_get(group, "publicKey"), "pk", &pk) ||
        !vectors_hex(test, "msg", &msg) || !vectors_hex(test, "sig", &sig) ||
        pk.len != NODE_ID_BYTES) {
        fail(s, test, "not in the expected form");
        return;
    }
    memcpy(id.bytes, pk.p, NODE_ID_BYTES);
    /* A signature of another length has no way into the project: its type is 64 bytes. */
    bool ok = sig.len == SIGN_BYTES && sign_verify(sig.p, &id, msg.p, msg.len);
    if (!ok)
        s->refused++;
    if (ok && !result_is(test, "valid"))
        fail(s, test, "an invalid signature was believed");
    if (!ok && !result_is(test, "invalid"))
        fail(s, test, "a valid signature was refused");
}

/* Runs every test of the file; `algorithm` tells whether it is the expected one. */
static bool run_file(const char *path, const char *algorithm) {
    json_t *root = vectors_load(path);
    if (!root)
        return false;
    struct score s = {0, 0, 0};
    const char *found = json_string_value(json_object_get(root, "algorithm"));
    bool right = found && strcmp(found, algorithm) == 0;
    if (!right)
        fprintf(stderr, "%s: its algorithm is not %s\n", path, algorithm);

    size_t g, t;
    const json_t *group, *test;
    json_array_foreach(json_object_get(root, "testGroups"), g, group) {
        json_array_foreach(json_object_get(group, "tests"), t, test) {
            if (strcmp(algorithm, "XDH") == 0)
                x25519_test(test, &s);
            else
                ed25519_test(group, test, &s);
        }
    }
    json_int_t announced = json_integer_value(json_object_get(root, "numberOfTests"));
    if ((json_int_t)s.ran != announced) {
        fprintf(stderr, "%s: announces %lld tests\n", path, (long long)announced);
        right = false;
    }
    json_decref(root);
    printf("%s: %zu ran, %zu refused, %zu failed\n", path, s.ran, s.refused, s.failed);
    return right && s.ran > 0 && s.failed == 0;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: %s X25519.json ED25519.json\n", argv[0]);
        return 2;
    }
    if (sodium_init() < 0)
        return 1;
    if (vectors_missing(argc, argv))
        return EXIT_SKIPPED;
    bool ok = run_file(argv[1], "XDH");
    ok = run_file(argv[2], "EDDSA") && ok;
    return ok ? 0 : 1;
}
