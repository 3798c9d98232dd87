/* support_room.h: the room of files without a node: a turn, a store, a table of transfers, and
 * sides that only note what they are asked. */
#ifndef MESHD_TESTS_SUPPORT_ROOM_H
#define MESHD_TESTS_SUPPORT_ROOM_H

#include "node/base/keep.h"
#include "node/file/transfer/transfer.h"
#include "node/people/contact.h"
#include "sim/disk/store_mem.h"

enum { ROOM_PART = 5, ROOM_CONTACTS = 4 };

struct room {
    uint64_t seed;
    struct turn turn;
    struct store_mem *store;
    struct work work;
    struct keep keep;
    struct contacts contacts;              /* none: */
    struct contact contact[ROOM_CONTACTS]; /* what the tests name */
    struct transfers files;
};

struct room *room_new(uint64_t seed);
void room_free(struct room *r);
/* A side that lives until its transfer's last operation is back. */
struct noted {
    unsigned told, wound_down, done, late, freed, events;
    int told_err;
    struct work *work;
};
/* A new transfer of contact i that noted's operations stand behind. */
struct transfer *room_transfer(struct room *r, unsigned i, bool outgoing, struct noted *noted);
/* The next event of this kind, those before it are dropped; false: there is none. */
bool room_event(struct room *r, enum node_event_kind kind, struct node_event *out);

#endif
