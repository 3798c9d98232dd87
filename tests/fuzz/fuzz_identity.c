/* fuzz_identity.c: any bytes as an identity file, a node id and a certificate; what decodes comes
 * back the same. */
#include <stdlib.h>
#include <string.h>

#include "crypto/identity/identity.h"

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size);

static void as_file(const uint8_t *in, size_t size) {
    struct identity i, back;
    char text[IDENTITY_FILE_MAX];
    if (identity_decode(&i, (const char *)in, size) != 0)
        return;
    if (identity_encode(&i, text, sizeof text) != 0 ||
        identity_decode(&back, text, strlen(text)) != 0 || !node_id_equal(&i.id, &back.id) ||
        i.transport_seq != back.transport_seq ||
        memcmp(&i.transport_secret, &back.transport_secret, sizeof back.transport_secret) != 0)
        abort();
}

static void as_id(const uint8_t *in, size_t size) {
    struct node_id id, back;
    char text[128];
    if (size >= sizeof text)
        return;
    memcpy(text, in, size);
    text[size] = '\0';
    if (node_id_parse(&id, text) != 0)
        return;
    node_id_text(&id, text);
    if (node_id_parse(&back, text) != 0 || !node_id_equal(&id, &back))
        abort();
}

static void as_cert(const uint8_t *in, size_t size) {
    struct key_cert cert;
    struct dh_public transport;
    uint8_t again[KEY_CERT_BYTES];
    if (size < KEY_CERT_BYTES + sizeof transport.bytes)
        return;
    key_cert_read(&cert, in);
    key_cert_write(&cert, again);
    if (memcmp(in, again, sizeof again) != 0)
        abort();
    memcpy(transport.bytes, in + KEY_CERT_BYTES, sizeof transport.bytes);
    (void)key_cert_verify(&cert, &transport);
}

int LLVMFuzzerTestOneInput(const uint8_t *in, size_t size) {
    as_file(in, size);
    as_id(in, size);
    as_cert(in, size);
    return 0;
}
