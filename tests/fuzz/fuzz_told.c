/* fuzz_told.c: what contacts tell each other of their relays: whatever is read is written again as
 * it came. The first bytes are mended now and then, so that random input gets further. */
#include <stdlib.h>
#include <string.h>

#include "node/mesh/told.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void look(const uint8_t *data, size_t size) {
    struct mesh_told t;
    uint8_t out[TOLD_BYTES_MAX];
    if (!told_read(&t, data, size))
        return;
    if (told_write(&t, out, sizeof out) != size || memcmp(out, data, size) != 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t mended[TOLD_BYTES_MAX];
    look(data, size);
    if (size < 10 || size > sizeof mended)
        return 0;
    memcpy(mended, data, size);
    mended[0] = TOLD_KIND;
    mended[1] = 1 + (data[1] & 1);
    mended[6] &= 7;
    mended[9] = (uint8_t[]){1, 4, 6, 1}[data[9] & 3];
    look(mended, size);
    return 0;
}
