/* ticket.h: the text that lets its holder reach a node. Pure codec; which tickets are open is
 * node/people/invite's business.
 *
 * bech32m (prefix "meshticket") over:
 *   version u8 = 1 | flags u8 (1: secret, 2: expiry) | node id 32 | transport public 32
 *   | secret 16 (flag 1) | expiry u32 LE, wall clock seconds since 1970 (flag 2)
 *   | address count u8 (0..8) | addresses (addr_write: kind u8 | ip 4 or 16 | port u16 LE)
 * Nothing may follow. The psk of the first handshake is derived from the secret, bound to the id:
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

#define TICKET_HRP "meshticket"

enum { TICKET_SECRET_BYTES = 16, TICKET_ADDRS_MAX = PEER_ADDRS_MAX };

struct ticket { /* holds a secret: ticket_clear */
    struct node_id id;
    struct dh_public transport;
    bool has_secret;
    uint8_t secret[TICKET_SECRET_BYTES];
    uint32_t expires_s; /* wall clock; 0 = never */
    struct addr addrs[TICKET_ADDRS_MAX];
    unsigned addr_count;
};

/* NUL-terminated. ERR_USAGE: too many addresses, or one of no kind. */
int ticket_encode(const struct ticket *t, char out[static TICKET_TEXT_MAX + 1]) MUST_USE;
/* ERR_FORMAT. White space around the text is passed over: it was pasted. */
int ticket_decode(struct ticket *t, const char *text) MUST_USE;
/* The handshake psk; has_secret must be true. */
void ticket_psk(const struct ticket *t, struct psk *out);
void ticket_clear(struct ticket *t);

#endif
