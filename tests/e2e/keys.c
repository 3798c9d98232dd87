/* keys.c: IDENTITY-FILE id|transport: writes that public key, raw, to standard output. */
#include <stdio.h>
#include <string.h>

#include "crypto/identity/identity.h"

int main(int argc, char **argv) {
    char text[IDENTITY_FILE_MAX];
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!f)
        return 2;
    size_t len = fread(text, 1, sizeof text, f);
    fclose(f);
    struct identity i;
    if (identity_decode(&i, text, len))
        return 1;
    const uint8_t *key = strcmp(argv[2], "id") == 0 ? i.id.bytes : i.transport_public.bytes;
    size_t n = fwrite(key, 1, 32, stdout);
    identity_clear(&i);
    return n == 32 ? 0 : 1;
}
