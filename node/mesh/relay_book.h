/* relay_book.h: the relays this node knows: those that the user has named, and those of contacts
 * and tickets while somebody needs them. One entry for each id, since a node has one session with
 * another. What to do about one is relay_link's business; which are kept warm says homes.h.
 *
 * A relay's address names its id only, so its transport key has to be asked for; it is kept, so
 * that a restart need not ask. In the store's table "relays":
 *
 *   key   = node id 32
 *   value = version u8 = 1 | transport public 32 | sequence of its certificate u64 LE
 *
 * RELAYS_KNOWN_MAX of them: the one that was not used for longest gives way, never one that the
 * user has named or that is in use. Whose share: of one contact RELAY_SET_MAX.
 */
#ifndef MESHD_NODE_MESH_RELAY_BOOK_H
#define MESHD_NODE_MESH_RELAY_BOOK_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/keep.h"
#include "node/base/relay_addr.h"
#include "node/base/turn.h"
#include "node/mesh/keepalive.h"
#include "node/peer/peer.h"

enum {
    RELAYS_KNOWN_MAX = 64,
    RELAY_PLACES_MAX = 4, /* addresses of one name that are tried */
};

enum relay_state {
    RELAY_IS_UNKNOWN,    /* nobody has needed it */
    RELAY_IS_RESOLVING,  /* its name is being looked up */
    RELAY_IS_ASKING_KEY, /* its transport key is asked for */
    RELAY_IS_WRONG_KEY,  /* another node answers there */
    RELAY_IS_CONNECTING, /* it is being dialled */
    RELAY_IS_UP,         /* a session is up, */
    RELAY_IS_RESERVED,   /* and we can be reached through it */
    RELAY_IS_SILENT,     /* it did not answer, or its name was not found */
    RELAY_IS_REFUSED,    /* it does not take us in */
    RELAY_IS_RESTARTING, /* it has said so */
};
enum { RELAY_MOVES_US = 60 * 1000000 }; /* of pause between two tries, by then */

enum { RELAY_STATES = RELAY_IS_RESTARTING + 1 };

struct relay_probe { /* echoes that have not come back; node/mesh/relay_links.h */
    unsigned sent;   /* 0: none is out */
    uint64_t id;     /* of the first, drawn: nobody answers what he has not heard */
    uint64_t since_us, last_us, next_us;
    bool rested; /* a whole pause was before the first one */
    bool other;  /* the first one was no echo: new keys, or a reservation */
};

struct relay {
    struct relay_addr at;
    uint32_t serial; /* from 1, never given twice */
    uint32_t draw;   /* for the choice among equals */
    bool named;      /* by the user */
    bool offered;    /* by a contact, as a home */
    bool complained; /* that it does not answer is in the log */
    bool retell;     /* its contact is gone: it is a peer of its own again */
    bool home;       /* one of the two that are kept warm */
    unsigned users;  /* ways that need it now */
    uint64_t used_us;
    /* where and who */
    struct addr places[RELAY_PLACES_MAX];
    unsigned place_count, place; /* which of them is being used */
    bool chosen;                 /* it is the one of them that has answered, or the only one */
    struct dh_public transport;
    uint64_t cert_seq;
    bool has_key, doubted; /* it did not answer with that key: ask anew */
    bool probing;          /* asked only whether it answers */
    struct node_id wrong;  /* RELAY_IS_WRONG_KEY: who is there */
    /* how it is */
    enum relay_state state;
    const char *why; /* static sentence; never NULL */
    uint64_t since_us;
    uint64_t rtt_us; /* smoothed; 0: not measured */
    uint8_t load_percent, lost_percent;
    uint64_t measured_us;
    /* what is under way; node/mesh/relay_links.h */
    struct peering *peering; /* NULL: none */
    uint64_t due_us;         /* UINT64_MAX: nothing is planned */
    uint64_t pause_us;       /* after the last failure */
    uint64_t up_us;          /* when its last session began */
    uint8_t lapses;          /* sessions in a row that ended soon */
    uint64_t told_us;        /* the events of it are paid for until then */
    bool asking;             /* for its key */
    uint64_t nonce, asked_us;
    bool measure;       /* nothing is wanted but the round trip */
    uint64_t unused_us; /* nobody needs it since then; 0: somebody does */
    uint64_t renew_us;
    struct keepalive keepalive;
    struct relay_probe probe;
};

struct relay_book { /* zeroes but for the first two: empty */
    struct turn *turn;
    struct keep *keep;
    struct relay **list;
    uint32_t count, cap;
    uint32_t last_serial;
};

const char *relay_state_name(enum relay_state s); /* "reserved", ... */
/* Asserts that this may follow. `why` is static. */
void relay_enter(struct relay *r, uint64_t now_us, enum relay_state to, const char *why);
static inline bool relay_is_up(const struct relay *r) {
    return r->state == RELAY_IS_UP || r->state == RELAY_IS_RESERVED ||
           r->state == RELAY_IS_REFUSED || r->state == RELAY_IS_RESTARTING;
}
/* A round trip that was measured just now; an echo that came back, or did not. */
void relay_measured(struct relay *r, uint64_t now_us, uint64_t rtt_us);
void relay_echoed(struct relay *r, bool back);

void relay_book_clear(struct relay_book *book);
struct relay *relay_by_id(const struct relay_book *book, const struct node_id *id);
struct relay *relay_by_serial(const struct relay_book *book, uint32_t serial);
struct relay *relay_by_peering(const struct relay_book *book, const struct peering *p);
/* The one with this address, a new one if there is none, with the key that was kept of it. Of a
 * known id that is reached somewhere already the address stays, unless the user names another; of a
 * home likewise, until it has not answered for minutes.
 * ERR_FULL, ERR_NOMEM, ERR_USAGE (our own id). */
int relay_book_take(struct relay_book *book, const struct relay_addr *at, bool named,
                    struct relay **out) MUST_USE;
/* It has no peering any more. */
void relay_book_drop(struct relay_book *book, struct relay *r);
/* Its key as it has proved it: kept. */
void relay_book_key(struct relay_book *book, struct relay *r, const struct dh_public *transport,
                    uint64_t cert_seq);

#endif
