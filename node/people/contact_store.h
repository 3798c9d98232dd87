/* contact_store.h: contacts in the store's table "contacts", one entry per node id, so that a name
 * is no more than an attribute:
 *
 *   key   = node id 32
 *   value = version u8 = 2 | flags u8 (1: paired, 2: pairing) | petname length u8 | petname
 *           | transport public 32 | sequence of its certificate u64 LE
 *           | pairing secret 32 | ticket's one-time secret 32
 *           | address count u8 | addresses (addr_write), best first
 *
 * A contact with relays or a path of its own is version 3: the same, and then
 *           | path u8 (enum contact_path) | relay count u8 (0..4) | relays
 *           (node/base/relay_addr.h), best first
 * so that a meshd from before still reads those that have neither.
 *
 * Version 1 had the petname as key, and the id in the value in place of name and sequence: such
 * entries are read, and written anew in one transaction, at start.
 */
#ifndef MESHD_NODE_PEOPLE_CONTACT_STORE_H
#define MESHD_NODE_PEOPLE_CONTACT_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/people/contact.h"

enum {
    CONTACT_VALUE_MAX = 3 + PETNAME_MAX + 3 * 32 + 8 + 1 + PEER_ADDRS_MAX * ADDR_WIRE_MAX + 2 +
                        RELAY_SET_MAX * RELAY_ADDR_WIRE_MAX
};

size_t contact_encode(const struct contact *c, uint8_t out[static CONTACT_VALUE_MAX]);
/* Any version; c is zeroed first. Its relays are put into *relays, which c then points to, if it
 * has any. False if it cannot be read. */
bool contact_decode(struct contact *c, struct relay_set *relays, const uint8_t *key, size_t key_len,
                    const uint8_t *in, size_t len);

int contact_store_put(struct contacts *people, const struct contact *c) MUST_USE;
int contact_store_del(struct contacts *people, const struct node_id *id) MUST_USE;
int contact_store_del_by_name(struct contacts *people, const char *name) MUST_USE; /* version 1 */
/* The entry after key[0..*key_len), which is replaced (node/base/store.h); as contact_decode.
 * by_name: it is of version 1. ERR_FORMAT: it cannot be read; ERR_NOT_FOUND at the end; what the
 * store says. */
int contact_store_next(struct contacts *people, uint8_t key[static STORE_KEY_MAX], size_t *key_len,
                       struct contact *c, struct relay_set *relays, bool *by_name) MUST_USE;

/* For the stored form: 0 to DENIAL_CODE_MAX. What is not known is none. */
enum { DENIAL_CODE_MAX = 7 };
unsigned denial_code(int err);
int denial_of_code(unsigned code);

#endif
