/* mesh.h: what this node has of the mesh beside the peers that it reaches at their addresses:
 * relays and the ways through them. Holds the parts of the room together: the relays known and
 * their sessions (relay_links.h), the ways to peers (ways.h), and what peers are told of our homes
 * (told.h).
 */
#ifndef MESHD_NODE_MESH_MESH_H
#define MESHD_NODE_MESH_MESH_H

#include "node/mesh/relay_info.h"
#include "node/mesh/told.h"
#include "node/mesh/ways.h"

enum {
    TOLD_FIRST_US = 1000 * 1000, /* not heard: told again after that; doubled, */
    TOLD_TRIES = 6,              /* so often in all: 31 s */
    MATE_OFFERS_BURST = 4,       /* its relays may become our homes so often at once, */
    MATE_OFFER_US = 5 * 1000000, /* then once in so long */
};

struct mate {             /* a contact with a session, and what it has been told in it */
    uint32_t tell, heard; /* our sequences: last told, last heard by it */
    uint32_t its;         /* its last one; 0: none in this session */
    unsigned tries;
    uint64_t next_us;  /* told again then; 0: not planned */
    uint64_t offer_us; /* what it has offered as homes is paid for then */
};

struct mesh { /* zeroes but for turn, and the same in links and ways */
    struct turn *turn;
    struct links links;
    struct ways ways;
    struct mate **mates; /* by the peer's index */
    uint32_t mate_cap;
    uint64_t mates_us;      /* no mate is due before; 0: none is planned */
    struct relay_set *told; /* as everybody was told last, or is being told; NULL: of none */
    bool serving;
    uint64_t wrong; /* records that are none */
};

/* What the user has set: at the start, and whenever it is other. */
void mesh_config(struct mesh *mesh, const struct relay_config *c);
/* By which relays this node can be reached: for tickets and contacts. The best first. */
void mesh_homes(const struct mesh *mesh, struct relay_set *out);
/* EP_RELAY_*, EP_KEY_TOLD, EP_RECORD, EP_PONG, EP_CONNECT_FAILED: what of it is this room's. */
void mesh_event(struct mesh *mesh, const struct ep_event *ev);
/* Who tells it goes down in good order: clients are told. */
enum { MESH_RESTART_MS = 4 * 1000 };

/* ---- what is shown ---- */
/* i = 0.. until false; homes first. */
bool mesh_relay_at(const struct mesh *mesh, unsigned i, struct relay_info *out);
bool mesh_relay_by_serial(const struct mesh *mesh, uint32_t serial, struct relay_info *out);
void mesh_use(const struct mesh *mesh, struct relay_use *out);

extern const struct part_ops mesh_part; /* self: the struct mesh */

#endif
