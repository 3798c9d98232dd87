/* fuzz_bech32m.c: any text; what decodes is written again as the same text. */
#include <stdlib.h>
#include <string.h>

#include "crypto/identity/bech32m.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size) {
    char text[2048], again[BECH32M_MAX_CHARS + 1];
    uint8_t data[BECH32M_MAX_CHARS];
    size_t len = 0;
    if (size >= sizeof text)
        return 0;
    memcpy(text, in, size);
    text[size] = '\0';

    bool valid = bech32m_valid(text, BECH32M_MAX_CHARS);
    int rc = bech32m_decode(data, sizeof data, &len, "mesh", text);
    if (rc == 0 && !valid)
        abort();
    if (rc == 0) {
        if (bech32m_encode(again, sizeof again, "mesh", data, len) != 0)
            abort();
        for (char *p = text; *p; p++)
            *p = *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p;
        if (strcmp(text, again) != 0)
            abort();
    }
    /* and the other way round: any bytes that fit come back */
    if (size <= 600) {
        if (bech32m_encode(again, sizeof again, "m", in, size) != 0 ||
            bech32m_decode(data, sizeof data, &len, "m", again) != 0 || len != size ||
            (size > 0 && memcmp(data, in, size) != 0))
            abort();
    }
    return 0;
}
