/* relay_msg.h: what clients and relays say to each other (docs/PROTOCOL.md §7), made and
 * read. No state here: who answers what is net/relay.
 *
 * Datagrams, beside those of net/wire/packet.h:
 *
 *   5 FORWARD    type 5 | 0 0 0 | flow 4 | inner datagram      client -> relay: the sender's end
 *   6 FORWARDED  type 6 | 0 0 0 | flow 4 | inner datagram      relay -> client: the receiver's end
 *   7 KEY_ASK    type 7 | 0 0 0 | nonce 8 | zeroes 136           whose key has this relay?
 *                without the zeroes: does it answer?
 *   8 KEY_TOLD   type 8 | 0 0 0 | nonce 8 | transport key 32 | key_cert 104
 *                likewise, without what follows the nonce
 *
 * Control messages are RECORDs (net/wire/frame.h) between a client and its relay, kind 1:
 *
 *   kind 1 (1) | op 1 | fields; each op has exactly one length, op 0x80 and above is the relay's
 *
 *   01 RESERVE    request 4 | lifetime_s 2          0: the reservation is given back
 *   02 OPEN       request 4 | peer id 32
 *   03 CLOSE      flow 4
 *   04 ACCEPT     flow 4                            answers INCOMING
 *   05 REFUSE     flow 4 | reason 1                 answers INCOMING
 *   81 RESERVED   request 4 | lifetime_s 2 | load 1 | flows_max 2 | rate_KiB_s 4 | quota_left_MiB 4
 *   82 OPENED     request 4 | flow 4 | lifetime_s 2
 *   83 INCOMING   flow 4 | peer id 32 | lifetime_s 2
 *   84 ENDED      flow 4 | reason 1
 *   85 RESTARTING in_ms 4 | for_ms 4
 *   86 REFUSED    request 4 | reason 1              answers RESERVE or OPEN
 *   87 LOAD       load 1 | rate_KiB_s 4 | quota_left_MiB 4
 *
 * A flow's number is that of the reader's or writer's own end, and never 0. Rates and quotas are
 * what the client may use; RELAY_UNLIMITED: nothing is held against it.
 */
#ifndef MESHD_NET_WIRE_RELAY_MSG_H
#define MESHD_NET_WIRE_RELAY_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/identity/identity.h"
#include "net/wire/packet.h"

#define RELAY_UNLIMITED UINT32_MAX

enum {
    FORWARD_HEADER_BYTES = 8, /* type, reserved, flow */
    RELAYS_IN_A_ROW_MAX = 2,  /* a FORWARD may hold one more, which holds none */
    KEY_NONCE_BYTES = 8,
    KEY_TOLD_BYTES = 4 + KEY_NONCE_BYTES + 32 + KEY_CERT_BYTES,
    KEY_ASK_BYTES = KEY_TOLD_BYTES,
    KEY_HERE_BYTES = 4 + KEY_NONCE_BYTES, /* of each where the key is known */

    RECORD_KIND_RELAY = 1, /* the first byte of a RECORD says what it is about; 2.. are to come */
    RELAY_MSG_MAX_BYTES = 2 + 4 + 32 + 2, /* the longest: INCOMING */
};

_Static_assert(KEY_TOLD_BYTES == 148, "docs/PROTOCOL.md gives the sizes");
_Static_assert(KEY_TOLD_BYTES <= KEY_ASK_BYTES, "no amplification");
_Static_assert(RELAY_MSG_MAX_BYTES <= (int)RECORD_MAX_BYTES, "a message is one record");

/* X(name, op, bytes with kind and op) */
#define RELAY_OPS(X)                                                                               \
    X(RESERVE, 0x01, 8)                                                                            \
    X(OPEN, 0x02, 38)                                                                              \
    X(CLOSE, 0x03, 6)                                                                              \
    X(ACCEPT, 0x04, 6)                                                                             \
    X(REFUSE, 0x05, 7)                                                                             \
    X(RESERVED, 0x81, 19)                                                                          \
    X(OPENED, 0x82, 12)                                                                            \
    X(INCOMING, 0x83, 40)                                                                          \
    X(ENDED, 0x84, 7)                                                                              \
    X(RESTARTING, 0x85, 10)                                                                        \
    X(REFUSED, 0x86, 7)                                                                            \
    X(LOAD, 0x87, 11)

enum relay_op {
#define X(name, op, bytes) RELAY_##name = op,
    RELAY_OPS(X)
#undef X
};

#define X(name, op, bytes) _Static_assert((bytes) <= RELAY_MSG_MAX_BYTES, #name " fits");
RELAY_OPS(X)
#undef X

/* Why a request is refused or a flow has ended. Numbers travel: append. One that is not known is a
 * refusal like any other. */
enum relay_reason {
    RELAY_GONE = 1,    /* the peer has no reservation here, or has it no more */
    RELAY_FULL,        /* a limit of the relay is reached */
    RELAY_DENIED,      /* by the relay's lists, or by the peer */
    RELAY_RESTARTS,    /* the relay is about to restart */
    RELAY_EXPIRED,     /* nothing was sent for a flow's lifetime */
    RELAY_QUOTA,       /* the client's bytes of the day are used up */
    RELAY_NO_FLOW,     /* there is no such flow of this client */
    RELAY_CLOSED,      /* one of the two ends has closed it */
    RELAY_REASONS_END, /* not a reason */
};

struct relay_msg { /* the fields that its op has; the others are zero when it was read */
    uint8_t op;    /* enum relay_op */
    uint8_t reason;
    uint8_t load;        /* 0 idle .. 255 nothing more can be taken */
    uint16_t lifetime_s; /* seconds */
    uint16_t flows_max;  /* flows this client may have at once */
    uint32_t request;    /* chosen by the client, comes back in the answer */
    uint32_t flow;       /* never 0 */
    uint32_t rate_kib_s, quota_left_mib;
    uint32_t in_ms, for_ms; /* the relay stops in so long, and is away for so long */
    struct node_id peer;
};

/* A word for the reason ("gone", "full", ...), "unknown" for another number. Static. */
const char *relay_reason_name(unsigned reason);

/* Writes the message as it stands in a RECORD, kind byte included. Returns its size. */
size_t relay_msg_write(const struct relay_msg *m, uint8_t out[static RELAY_MSG_MAX_BYTES]);
/* Reads one, all `len` bytes of it. False: another kind, an op that is not known, another length
 * than the op's, a flow 0; `out` is then not set. */
bool relay_msg_read(struct relay_msg *out, const uint8_t *data, size_t len) MUST_USE;
/* What a relay says (true) or what a client says. */
static inline bool relay_op_is_relays(uint8_t op) {
    return (op & 0x80) != 0;
}

/* The 8 bytes before an inner datagram; type PACKET_FORWARD or PACKET_FORWARDED. */
void forward_write(uint8_t out[static FORWARD_HEADER_BYTES], enum packet_type type, uint32_t flow);
/* The flow of a datagram whose first byte says that it is one of these; its inner datagram is what
 * follows the header. 0: reserved bytes or flow are wrong, or what is inside cannot be a datagram
 * of two ends: none of types 1 to 4, shorter than these are, or a third relay in a row. */
uint32_t forward_read(const uint8_t *data, size_t len) MUST_USE;

struct key_told {
    uint8_t nonce[KEY_NONCE_BYTES];
    struct dh_public transport;
    struct key_cert cert;
};

void key_ask_write(const uint8_t nonce[static KEY_NONCE_BYTES], uint8_t out[static KEY_ASK_BYTES]);
/* False: a length that is neither KEY_ASK_BYTES nor KEY_HERE_BYTES, or something in it that must be
 * zero. */
bool key_ask_read(uint8_t nonce[static KEY_NONCE_BYTES], const uint8_t *data, size_t len) MUST_USE;
void key_told_write(const struct key_told *t, uint8_t out[static KEY_TOLD_BYTES]);
/* False: another length, reserved bytes not zero, or the certificate is not by the id that it
 * names. Costs one check of a signature: ask first whether the nonce is one that is out
 * (key_told_nonce). */
bool key_told_read(struct key_told *out, const uint8_t *data, size_t len) MUST_USE;
/* The nonce of an answer of the right length (KEY_TOLD_BYTES, KEY_HERE_BYTES) and shape, in it;
 * NULL: it is none. */
const uint8_t *key_told_nonce(const uint8_t *data, size_t len);

#endif
