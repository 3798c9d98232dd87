/* What a peer sends first on the file and message channels: manifest, message, answer. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/api/utf8.h"
#include "node/channel/delimited.h"
#include "node/channel/reply.h"
#include "node/file/manifest/manifest_in.h"
#include "node/file/manifest/manifest_out.h"
#include "node/message/letter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t key[MANIFEST_KEY_BYTES] = {1, 2, 3};

/* In pieces of so many bytes; what comes of it must not depend on them. */
static int decode(struct manifest *m, const uint8_t *data, size_t size, size_t piece) {
    struct manifest_in in;
    int err = 0;
    manifest_in_init(&in, key);
    for (size_t at = 0; at < size && !err; at += piece)
        err = manifest_in_feed(&in, data + at, size - at < piece ? size - at : piece);
    if (!err)
        err = manifest_in_take(&in, m);
    manifest_in_clear(&in);
    return err;
}

static void check_again(const struct manifest *m) {
    struct manifest_out out = {0};
    struct manifest again;
    struct blob_in in;
    const uint8_t *p;
    size_t len, used, skip = 1;
    uint64_t body = manifest_head_bytes(m->count);
    for (uint32_t i = 0; i < m->count; i++)
        body += manifest_file_bytes(&m->files[i]);
    blob_in_init(&in, MANIFEST_MAX_BYTES);
    while ((len = manifest_out_next(&out, m, body, &p)) > 0) {
        int err = blob_in_feed(&in, p + skip, len - skip, &used);
        assert(err == 0 && used == len - skip);
        manifest_out_gone(&out, len);
        skip = 0;
    }
    assert(in.whole && in.len == body);
    int err = decode(&again, in.buf, in.len, 7);
    assert(err == 0 && again.count == m->count && again.total_bytes == m->total_bytes);
    manifest_clear(&again);
    blob_in_clear(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct manifest m, same;
    const int err = decode(&m, data, size, size ? size : 1);
    const int other = decode(&same, data, size, 1);
    assert(err == other);
    if (err == 0) {
        assert(m.count >= 1 && m.count <= TRANSFER_FILES_MAX && m.count == same.count);
        for (uint32_t i = 0; i < m.count; i++)
            assert(manifest_name_ok(m.files[i].name, strlen(m.files[i].name)));
        check_again(&m);
        manifest_clear(&m);
        manifest_clear(&same);
    }
    struct letter l;
    if (letter_decode(&l, data, size) == 0)
        assert(l.len >= 1 && l.len <= MESSAGE_MAX_BYTES && utf8_valid(l.text, l.len));
    struct reply r;
    if (reply_decode(&r, data, size) == 0)
        assert(r.err <= 0 && strlen(r.file) <= REPLY_FILE_MAX);
    return 0;
}
