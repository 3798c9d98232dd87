/* packet.h: the outer shape of every datagram (docs/PROTOCOL.md §2), after WireGuard's.
 *
 * All integers little-endian. The first byte tells the type; what does not parse is dropped in
 * silence.
 *
 *   1 INITIATION  type 1 | reserved 3 | sender index 4 | Noise message 1 (248) | mac1 16 | mac2 16
 *   2 RESPONSE    type 2 | reserved 3 | sender index 4 | receiver index 4 | Noise message 2 (172) |
 * mac1 16 | mac2 16 3 RETRY       type 3 | reserved 3 | receiver index 4 | nonce 24 | sealed cookie
 * and challenge 48 4 DATA        type 4 | key epoch 1 | reserved 2 | receiver index 4 | counter 8 |
 * ciphertext | tag 16
 *
 * Types 5 to 8, of relays, are in net/wire/relay_msg.h. Reserved bytes are zero and are checked, so
 * that they can mean something later. A reply is never larger than what caused it: 216 <= 288, 80
 * <= 288, 148 <= 148.
 */
#ifndef MESHD_NET_WIRE_PACKET_H
#define MESHD_NET_WIRE_PACKET_H

#include "crypto/identity/identity.h"
#include "crypto/noise/cookie.h"
#include "crypto/noise/noise.h"
#include "net/base/limits.h"

enum packet_type {
    PACKET_INITIATION = 1,
    PACKET_RESPONSE = 2,
    PACKET_RETRY = 3,
    PACKET_DATA = 4,
    PACKET_FORWARD = 5,   /* client -> relay */
    PACKET_FORWARDED = 6, /* relay -> client */
    PACKET_KEY_ASK = 7,
    PACKET_KEY_TOLD = 8,
};

enum {
    PROTOCOL_VERSION = 1,

    /* Plaintext of Noise message 1:
     *   version 1 | suites offered 1 | key epoch 1 | flags 1 (0) | capabilities 4 | timestamp 8
     * (wall clock, us, strictly growing per initiator) | challenge 16 (zero, or from a RETRY) |
     * session id 8 | psk id 8 (zero: no psk) | key_cert 104 */
    INITIATION_PAYLOAD_BYTES = 4 + 4 + 8 + 16 + 8 + 8 + KEY_CERT_BYTES,
    INITIATION_NOISE_BYTES = NOISE_MSG1_OVERHEAD + INITIATION_PAYLOAD_BYTES,
    INITIATION_BYTES = 8 + INITIATION_NOISE_BYTES + 2 * MAC_BYTES,

    /* Plaintext of Noise message 2:
     *   version 1 | suites offered 1 | suite chosen 1 | key epoch 1 | flags 4 (bit 0: continues the
     * session named) | capabilities 4 | session id 8 | key_cert 104 */
    RESPONSE_PAYLOAD_BYTES = 8 + 4 + 8 + KEY_CERT_BYTES,
    RESPONSE_NOISE_BYTES = NOISE_MSG2_OVERHEAD + RESPONSE_PAYLOAD_BYTES,
    RESPONSE_BYTES = 12 + RESPONSE_NOISE_BYTES + 2 * MAC_BYTES,

    RETRY_BYTES = 8 + COOKIE_NONCE_BYTES + COOKIE_SEALED_BYTES,

    /* Capabilities: what a node can do beyond version 1, one bit each. A session has those that
     * both sides state; a bit that is not known means nothing. */
    CAPABILITY_RECORD = 1 << 0, /* takes RECORD */
    CAPABILITY_PATHS = 1 << 1,  /* keeps several paths, takes PATH_REPORT */
    CAPABILITIES = CAPABILITY_RECORD | CAPABILITY_PATHS,

    DATA_HEADER_BYTES = 16,
    DATA_OVERHEAD_BYTES = DATA_HEADER_BYTES + AEAD_TAG_BYTES,
};

_Static_assert(INITIATION_BYTES == 288, "docs/PROTOCOL.md gives the sizes");
_Static_assert(RESPONSE_BYTES == 216, "docs/PROTOCOL.md gives the sizes");
_Static_assert(RETRY_BYTES == 80, "docs/PROTOCOL.md gives the sizes");
_Static_assert(DATA_OVERHEAD_BYTES + 1 + 2 + RECORD_MAX_BYTES == MTU_BASE_BYTES,
               "the largest record fills a packet: type, length");
_Static_assert(RESPONSE_BYTES <= INITIATION_BYTES, "no amplification");

#endif
