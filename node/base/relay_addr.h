/* relay_addr.h: where a relay is and who it is: HOST:PORT#mesh1... The key is part of the address,
 * so that nobody else can be taken for it. HOST is a host name, an IPv4 address or an IPv6 address
 * in brackets; whoever uses a name has it resolved (node/base/resolve.h).
 *
 * A name is at most 253 letters, digits, hyphens and dots (RFC 1123 §2.1, RFC 952), each label at
 * most 63, and is kept in lower case. One whose last label is a number would be read as an IPv4
 * address by some and is refused. An address must be one that a packet can be sent to from
 * elsewhere: neither unspecified nor of a group nor link-local. The port is never 0.
 *
 * As bytes, in tickets and in the store:
 *   kind u8 = 4 or 6 | ip 4 or 16 | port u16 LE | node id 32           (as addr_write)
 *   kind u8 = 1 | length u8 (1..253) | name, in lower case | port u16 LE | node id 32
 */
#ifndef MESHD_NODE_BASE_RELAY_ADDR_H
#define MESHD_NODE_BASE_RELAY_ADDR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "crypto/base/types.h"
#include "crypto/identity/identity.h"
#include "net/base/addr.h"

enum {
    RELAY_HOST_MAX = 253,
    RELAY_ADDR_TEXT_MAX = RELAY_HOST_MAX + 1 + 5 + 1 + NODE_ID_TEXT_CHARS, /* without the NUL */
    RELAY_ADDR_WIRE_MAX = 1 + 1 + RELAY_HOST_MAX + 2 + NODE_ID_BYTES,
    RELAY_SET_MAX = 4, /* of a ticket, of a contact; further ones are left out */
};

#define RELAY_ADDR_FORM "HOST:PORT#mesh1..."

struct relay_addr { /* all zeroes: none */
    struct node_id id;
    uint16_t port;
    struct addr at;                /* with the port; ADDR_NONE: `host` is to be resolved */
    char host[RELAY_HOST_MAX + 1]; /* empty: `at` */
};

struct relay_set { /* the best first; no two equal */
    unsigned count;
    struct relay_addr list[RELAY_SET_MAX];
};

/* ERR_FORMAT; *wrong (static) is then a half sentence: what is wrong, and what is expected. */
int relay_addr_parse(struct relay_addr *out, const char *text, const char **wrong) MUST_USE;
/* The one form of it. */
void relay_addr_text(const struct relay_addr *a, char out[static RELAY_ADDR_TEXT_MAX + 1]);
/* The same place and the same id. */
bool relay_addr_equal(const struct relay_addr *a, const struct relay_addr *b);
/* The bytes above. Returns the size written; 0: it is none. */
size_t relay_addr_write(const struct relay_addr *a, uint8_t out[static RELAY_ADDR_WIRE_MAX]);
size_t relay_addr_size(const struct relay_addr *a); /* that relay_addr_write writes */
/* Reads one at in[0..len). Returns the size used; 0: malformed, or an address that parse refuses,
 * or not in its one form: *wrong (static) says which, as there. */
size_t relay_addr_read(struct relay_addr *a, const uint8_t *in, size_t len, const char **wrong);

/* Behind the others, if it is not there yet. False: it is, or there is no room. */
bool relay_set_add(struct relay_set *s, const struct relay_addr *a);
/* In front of them; the last one gives way. */
void relay_set_first(struct relay_set *s, const struct relay_addr *a);
bool relay_set_equal(const struct relay_set *a, const struct relay_set *b); /* in the same order */

#endif
