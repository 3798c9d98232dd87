/* contact.h: the peers the user has named: who they are, the secret shared with them, where they
 * were last seen, and whether a session is up. A contact is its node id; the name is an attribute
 * that the user may change, no two have the same one. How they are stored:
 * node/people/contact_store.h.
 *
 * Pointers to a contact are valid until the turn ends or it is removed; what outlives a turn keeps
 * its serial.
 */
#ifndef MESHD_NODE_PEOPLE_CONTACT_H
#define MESHD_NODE_PEOPLE_CONTACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/base/keep.h"
#include "node/base/relay_addr.h"
#include "node/peer/dial.h"
#include "node/people/contact_info.h"

struct conversation;

enum {
    CONTACTS_MAX = 16384,           /* further ones are refused with ERR_FULL */
    CONTACT_SEEN_BURST = 8,         /* so many new addresses of one contact are stored at once, */
    CONTACT_SEEN_US = 30 * 1000000, /* then one in so long */
};

struct contact { /* holds a secret */
    char name[PETNAME_MAX + 1];
    struct node_id id;
    struct dh_public transport;
    uint64_t cert_seq; /* of the transport key's certificate, as last accepted; 0: none yet */
    struct psk psk;    /* paired: the pairing secret. The endpoint gets it only once it is kept */
    struct psk ticket; /* pairing: a ticket's one-time secret (node/people/pairing.h) */
    bool paired, pairing;
    struct addr addrs[PEER_ADDRS_MAX];
    unsigned addr_count;
    /* The relays it may be reached by, the best first; NULL: none are known. Its own copy. */
    struct relay_set *relays;
    uint16_t relay_rtts_ms[RELAY_SET_MAX]; /* its round trips to them as it told; 0: not known */
    enum contact_path path;
    /* their node does not let this one in, and why (node/people/denial.h); 0: not said */
    int denied;
    /* not persisted */
    uint32_t serial;         /* from 1, never reused */
    struct peering *peering; /* the contact as a peer: its session */
    bool kept;               /* paired: no power cut takes that away any more */
    bool unstored;           /* what the store has is older */
    int denied_stored;       /* what the store has of `denied` */
    uint64_t denials_us; /* when the denials that were told are paid for (node/people/denial.h) */
    bool ticket_new;     /* its secret has not opened a session since the user has added it */
    uint64_t stored_us;  /* when the addresses that were stored are paid for */
    uint32_t pairings;   /* pairing secrets seen so far: which one a debt is about */
    struct conversation *talk; /* node/message's, from contact_new to contact_gone */
};

struct contacts { /* zeroes but for the first four = empty; node/people/contact_table.h */
    struct turn *turn;
    struct keep *keep;
    struct peerings *peers;
    struct dials *dials;
    struct contact **list, **by_id, **by_serial; /* the first is ordered by name */
    unsigned count, cap;
    uint32_t last_serial;
    enum path_policy path; /* the node's */
};

/* An event about a contact: its id is looked up here, so that nobody can forget to give it. NULL:
 * about none. */
struct node_event *contacts_tell(const struct contacts *people, enum node_event_kind kind,
                                 const char *name);

/* Reads the table and tells the endpoint. An entry that cannot be read is left alone and logged.
 * ERR_NOMEM or what the store says. */
int contacts_load(struct contacts *people) MUST_USE;
void contacts_clear(struct contacts *people);

struct contact *contact_by_name(const struct contacts *people, const char *name);
struct contact *contact_by_id(const struct contacts *people, const struct node_id *id);
struct contact *contact_by_serial(const struct contacts *people, uint32_t serial);
/* NULL: it is nobody's, or none is up. */
struct contact *contact_by_peer(const struct contacts *people, struct peer_ref p);
struct contact *contact_by_session(const struct contacts *people, struct session_ref s);

/* Into the table and the endpoint, not into the store. Copies name, id, transport, sequence,
 * secrets, flags, addresses, relays and path of `model`. ERR_EXISTS (name or id), ERR_FULL,
 * ERR_NOMEM, ERR_USAGE (our id). */
int contact_take_in(struct contacts *people, const struct contact *model,
                    struct contact **out) MUST_USE;
/* The other way round: the store is not asked. All parts have heard that it goes
 * (parts_contact_gone). The pointer is dead. */
void contact_take_out(struct contacts *people, struct contact *c);
/* Takes in and stores. As contact_take_in, or what the store says: then nothing has happened. */
int contact_add(struct contacts *people, const struct contact *model,
                struct contact **out) MUST_USE;
/* The endpoint is told what the contact is now. */
int contact_tell(struct contacts *people, struct contact *c) MUST_USE;
/* Stores the contact as it is now, and tells the endpoint. */
int contact_update(struct contacts *people, struct contact *c) MUST_USE;
/* `to` must be usable and free. What the store says: then nothing has happened. */
int contact_rename(struct contacts *people, struct contact *c, const char *to) MUST_USE;
/* The first address to try from now on; nothing is stored or told. */
void contact_addr_first(struct contact *c, const struct addr *at);
/* The contact was heard at this address: it becomes the first to try. */
void contact_seen_at(struct contacts *people, struct contact *c, const struct addr *at);
/* What the contact has said of its relays, `set` instead of what was known: stored as often as
 * addresses are (CONTACT_SEEN_BURST), else at the end. What is new goes to parts_ways_changed.
 * ERR_NOMEM: then nothing has happened. */
int contact_set_relays(struct contacts *people, struct contact *c,
                       const struct relay_set *set) MUST_USE;
/* Stored, and the endpoint is told at once. What the store says: then nothing has happened. */
int contact_set_path(struct contacts *people, struct contact *c, enum contact_path path) MUST_USE;
/* By which ways it may be reached: its own policy, else the node's. */
enum path_policy contact_path_policy(const struct contacts *people, const struct contact *c);
/* The node's; the endpoint is told of each contact that it changes anything for. */
void contacts_set_path(struct contacts *people, enum path_policy path);
/* The process ends in good order: what was put off is stored. */
void contacts_end(struct contacts *people);
/* All but what node/message knows of it. */
void contact_info_fill(const struct contacts *people, const struct contact *c, uint64_t now_us,
                       struct contact_info *out);

extern const struct part_ops contacts_part; /* self: the struct contacts */

#endif
