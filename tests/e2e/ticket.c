/* ticket.c: TICKET-FILE secret|psk: writes its one-time secret (16 bytes) or the handshake psk made
 * of it (32), raw, to standard output. */
#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "node/people/ticket.h"

int main(int argc, char **argv) {
    char text[TICKET_TEXT_MAX + 2];
    struct ticket t;
    struct psk psk;
    FILE *f = argc == 3 ? fopen(argv[1], "rb") : NULL;
    if (!f)
        return 2;
    size_t len = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[len] = '\0';
    if (ticket_decode(&t, text) || !t.has_secret)
        return 1;
    ticket_psk(&t, &psk);
    bool secret = strcmp(argv[2], "secret") == 0;
    const uint8_t *out = secret ? t.secret : psk.bytes;
    size_t want = secret ? sizeof t.secret : sizeof psk.bytes;
    return fwrite(out, 1, want, stdout) == want ? 0 : 1;
}
