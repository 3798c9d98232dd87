/* A text that claims to be a ticket; and the bytes inside one with a good checksum. */
#include <assert.h>
#include <string.h>

#include "crypto/identity/bech32m.h"
#include "node/people/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const char *text) {
    struct ticket t, again;
    char out[TICKET_TEXT_MAX + 1];
    char wrong[TICKET_WRONG_MAX];
    ticket_wrong(text, wrong);
    int err = ticket_decode(&t, text);
    assert((err != 0) == (wrong[0] != '\0'));
    if (err != 0)
        return;
    err = ticket_encode(&t, out);
    assert(err == 0);
    err = ticket_decode(&again, out);
    assert(err == 0 && memcmp(&t, &again, sizeof t) == 0);
}

/* The same behind a beginning that is right, so that relays are reached. */
static void decode_relays(const uint8_t *data, size_t size) {
    uint8_t raw[TICKET_BYTES_MAX] = {2};
    char text[TICKET_TEXT_MAX + 64];
    if (size > sizeof raw - 67)
        return;
    memcpy(raw + 67, data, size);
    if (bech32m_encode(text, sizeof text, TICKET_HRP, raw, 67 + size) == 0)
        decode(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[TICKET_TEXT_MAX + 64];
    if (size < sizeof text) {
        memcpy(text, data, size);
        text[size] = '\0';
        decode(text);
    }
    if (size <= TICKET_BYTES_MAX && bech32m_encode(text, sizeof text, TICKET_HRP, data, size) == 0)
        decode(text);
    decode_relays(data, size);
    return 0;
}
