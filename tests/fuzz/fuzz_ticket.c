/* A text that claims to be a ticket; and the bytes inside one with a good checksum. */
#include <assert.h>
#include <string.h>

#include "crypto/identity/bech32m.h"
#include "node/people/ticket.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void decode(const char *text) {
    struct ticket t, again;
    char out[TICKET_TEXT_MAX + 1];
    if (ticket_decode(&t, text) != 0)
        return;
    int err = ticket_encode(&t, out);
    assert(err == 0);
    err = ticket_decode(&again, out);
    assert(err == 0 && memcmp(&t, &again, sizeof t) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char text[TICKET_TEXT_MAX + 64];
    if (size < sizeof text) {
        memcpy(text, data, size);
        text[size] = '\0';
        decode(text);
    }
    if (size <= 600 && bech32m_encode(text, sizeof text, TICKET_HRP, data, size) == 0)
        decode(text);
    return 0;
}
