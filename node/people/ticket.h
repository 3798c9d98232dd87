/* ticket.h: the text that lets its holder reach a node. Pure codec; which tickets are open is
 * node/people/invite's business.
 *
 * bech32m (prefix "meshticket") over:
 *   version u8 = 1 or 2 | flags u8 (1: secret, 2: expiry) | node id 32 | transport public 32
 *   | secret 16 (flag 1) | expiry u32 LE, wall clock seconds since 1970 (flag 2)
 *   | address count u8 (0..8) | addresses (addr_write: kind u8 | ip 4 or 16 | port u16 LE)
 *   | version 2: relay count u8 (1..4) | relays (node/base/relay_addr.h)
 * Nothing may follow. A ticket without relays is of version 1, which every meshd reads; one with
 * relays may have no address. At most TICKET_BYTES_MAX bytes, what 1,023 characters hold: relays
 * with long names may find no room. The psk of the first handshake is derived from the secret,
 * bound to the id:
 *   psk = BLAKE2b-256("meshd ticket psk v1" (19 bytes) | node id 32 | secret 16)
 */
#ifndef MESHD_NODE_PEOPLE_TICKET_H
#define MESHD_NODE_PEOPLE_TICKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"
#include "net/base/addr.h"
#include "net/endpoint.h"
#include "node/base/limits.h"
#include "node/base/relay_addr.h"

#define TICKET_HRP "meshticket"

enum {
    TICKET_SECRET_BYTES = 16,
    TICKET_ADDRS_MAX = PEER_ADDRS_MAX,
    TICKET_CHECKSUM_CHARS = 6,
    TICKET_WRONG_MAX = 256, /* with the NUL */
    TICKET_BYTES_MAX = (TICKET_TEXT_MAX - (int)sizeof TICKET_HRP - TICKET_CHECKSUM_CHARS) * 5 / 8,
};

struct ticket { /* holds a secret: ticket_clear */
    struct node_id id;
    struct dh_public transport;
    bool has_secret;
    uint8_t secret[TICKET_SECRET_BYTES];
    uint32_t expires_s; /* wall clock; 0 = never */
    struct addr addrs[TICKET_ADDRS_MAX];
    unsigned addr_count;
    struct relay_set relays;
};

/* NUL-terminated. ERR_USAGE: too many addresses, or one of no kind. ERR_FULL: the relays' names are
 * too long. */
int ticket_encode(const struct ticket *t, char out[static TICKET_TEXT_MAX + 1]) MUST_USE;
/* One relay more; false: it is there, or there is no room for it (any more). The rest of the ticket
 * must be complete. */
bool ticket_relay_add(struct ticket *t, const struct relay_addr *a);
/* ERR_FORMAT; ERR_UNSUPPORTED: of a version that is not known here. White space around the text is
 * passed over: it was pasted. */
int ticket_decode(struct ticket *t, const char *text) MUST_USE;
/* Why ticket_decode does not take it, in a sentence; empty: it does. */
void ticket_wrong(const char *text, char out[static TICKET_WRONG_MAX]);
/* The handshake psk; has_secret must be true. */
void ticket_psk(const struct ticket *t, struct psk *out);
void ticket_clear(struct ticket *t);

#endif
