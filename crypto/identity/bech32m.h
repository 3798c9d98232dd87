/* bech32m.h: BIP-350 text form of bytes: a prefix, '1', base32 data and a 6-character checksum
 * that catches every error of up to four characters in 90 (weaker beyond that length; tickets
 * are longer than BIP-350's 90, as Lightning invoices are, and carry their own checks inside).
 * Lower case is written; lower or upper case is read, mixed case is refused. No allocation.
 */
#ifndef MESHD_CRYPTO_IDENTITY_BECH32M_H
#define MESHD_CRYPTO_IDENTITY_BECH32M_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"

enum {
    BECH32M_MAX_CHARS = 1023, /* whole text, without the NUL */
    BECH32M_HRP_MAX = 83,
};

/* Writes hrp + '1' + data + checksum and a NUL to `out`. Errors: ERR_FULL if `cap` is too small
 * or the text would be longer than BECH32M_MAX_CHARS; ERR_FORMAT for an unusable hrp. */
int bech32m_encode(char *out, size_t cap, const char *hrp, const uint8_t *data,
                   size_t len) MUST_USE;

/* Reads `text` (NUL-terminated), whose prefix must be `hrp`. *len gets the number of data bytes.
 * Errors: ERR_FORMAT (characters, case, checksum, prefix, non-zero padding bits), ERR_FULL if the
 * data does not fit in `cap`. */
int bech32m_decode(uint8_t *data, size_t cap, size_t *len, const char *hrp,
                   const char *text) MUST_USE;

/* The 5-bit layer on its own, as BIP-350's own test vectors exercise it: true if `text` is a
 * valid bech32m string of at most `max_chars` characters with any prefix. */
bool bech32m_valid(const char *text, size_t max_chars);

#endif
