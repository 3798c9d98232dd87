/* letter.h: a message on the wire. The message channel carries one per stream:
 *
 *   sender:   varint channel (2) | blob {"v": 1, "id": bin 16, "t": wall clock ms, "x": text} | FIN
 *   receiver: blob {"ok": true} once it survives a power cut, or {"err": number} | FIN
 *
 * "id" is random and stays the same when the message is sent again: the receiver stores each
 * (sender, id) once. "x" is UTF-8, 1..MESSAGE_MAX_BYTES bytes.
 */
#ifndef MESHD_NODE_MESSAGE_LETTER_H
#define MESHD_NODE_MESSAGE_LETTER_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/base/limits.h"

enum { LETTER_ID_BYTES = 16, LETTER_MAX_BYTES = MESSAGE_MAX_BYTES + 256 };

struct letter {
    uint8_t id[LETTER_ID_BYTES];
    uint64_t wall_ms;
    const char *text; /* decode: into the input */
    size_t len;
};

/* Heap: channel number, length and body. NULL: no memory. */
uint8_t *letter_encode(const struct letter *l, size_t *len);
/* The blob's body. ERR_PROTO, ERR_UNSUPPORTED (version), ERR_NOMEM. */
int letter_decode(struct letter *l, const uint8_t *in, size_t len) MUST_USE;

#endif
