/* What a peer sends first on the file and message channels: manifest, message, answer. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "node/blob.h"
#include "node/letter.h"
#include "node/manifest.h"
#include "node/reply.h"
#include "node/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct manifest m, again;
    if (manifest_decode(&m, data, size) == 0) {
        assert(m.count >= 1 && m.count <= TRANSFER_FILES_MAX);
        for (uint32_t i = 0; i < m.count; i++)
            assert(manifest_name_ok(m.files[i].name, strlen(m.files[i].name)));
        uint8_t *out;
        size_t len, used;
        if (manifest_encode(&m, &out, &len) == 0) {
            struct blob_in in;
            blob_in_init(&in, MANIFEST_MAX_BYTES);
            int err = blob_in_feed(&in, out + 1, len - 1, &used);
            assert(err == 0 && in.whole && used == len - 1);
            err = manifest_decode(&again, in.buf, in.len);
            assert(err == 0 && again.count == m.count && again.total_bytes == m.total_bytes);
            manifest_clear(&again);
            blob_in_clear(&in);
            free(out);
        }
        manifest_clear(&m);
    }
    struct letter l;
    if (letter_decode(&l, data, size) == 0)
        assert(l.len >= 1 && l.len <= MESSAGE_MAX_BYTES && utf8_valid(l.text, l.len));
    struct reply r;
    if (reply_decode(&r, data, size) == 0)
        assert(r.err <= 0 && strlen(r.file) <= REPLY_FILE_MAX);
    return 0;
}
