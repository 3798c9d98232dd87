/* transfer_store.h: transfers in the store, so that after a restart the list still tells what was
 * sent and received, and what was cut short; and so that no number is given to two transfers.
 *
 *   table "transfers", an entry for each in the list:
 *     key   = number u64 BE
 *     value = version u8 = 1 | flags u8 (1: outgoing) | state u8 (enum transfer_state)
 *           | error u16, as crypto/base/err.h numbers it | node id 32 | name length u8 | contact's name
 *           | files u32 | of them done u32 | bytes u64 | of them done u64
 *           | began u64, us of the wall clock | from then to its end u64 us | from the yes to its end
 *             u64 us | detail length u8 | detail | directory length u16 | directory
 *           | first files u8, each: size u64 | name length u8 | name
 *           | whose error u8 (enum side) | limit u16, as node/api/cause.h numbers it | its maximum u64
 *           and whatever a later version adds behind it
 *   table "transfer_state":
 *     "ids" = a number u64 that no transfer so far is greater than
 *
 * An entry is written when the transfer is first heard of, when it changes its state, and while its
 * bytes flow every TRANSFER_STORE_PROGRESS_US. The changes of a turn are one transaction, made before
 * anybody is told of them; and of many turns, when more come than the two limits below say, so that a
 * contact that offers and takes back costs the disk no more than that. What has ended survives a power
 * cut soon afterwards (node/base/keep.h). What cannot be written is tried again, later and later: a full
 * disk stops no transfer, it only may forget one.
 *
 * An entry of what had not ended is one of a process that died: the transfer has failed with it.
 * Numbers are laid by TRANSFER_IDS_AHEAD at a time, so that none is given again after a power cut
 * either; an orderly end gives back what was not used. That transaction is never put off: where others
 * are, it lays by TRANSFER_IDS_FLOOD.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_STORE_H
#define MESHD_NODE_FILE_TRANSFER_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "node/base/turn.h"

enum {
    TRANSFERS_STORED_MAX = 128, /* the most the list can have: those under way, and those kept */
    TRANSFER_IDS_AHEAD = 32,
    TRANSFER_IDS_FLOOD = 1024,             /* as many while transactions are put off */
    TRANSFER_STORE_BURST_US = 2000 * 1000, /* ten transactions at once, */
    TRANSFER_STORE_PAUSE_US = 200 * 1000,  /* then one in so long */
    TRANSFER_STORE_RETRY_US = 1000 * 1000, /* after a failed one; doubled with every further one, */
    TRANSFER_STORE_RETRY_MAX_US = 60 * 1000000, /* up to this */
    TRANSFER_STORE_PROGRESS_US = 5 * 1000000,
    TRANSFER_VALUE_MAX = 5 + NODE_ID_BYTES + 1 + PETNAME_MAX + 2 * 4 + 5 * 8 + 1 + 255 + 2 + 1023 +
                         1 + TRANSFER_FIRST_FILES * (8 + 1 + 255) + 1 + 2 + 8,
};

struct transfer;
struct transfers;

struct transfer_store { /* zeroes = nothing to write */
    uint64_t due_us;    /* when it is written; 0: nothing has changed */
    uint64_t
        spent_us; /* what was written so far is paid for at this time (TRANSFER_STORE_PAUSE_US each) */
    uint64_t backoff_us;
    uint64_t ids; /* as stored */
    unsigned gone_count;
    uint64_t gone[TRANSFERS_STORED_MAX]; /* stored, and in the list no more */
};

/* Takes the list back; contacts are there already. Writes nothing. */
int transfers_load(struct transfers *files) MUST_USE;
/* Its entry is to be written; it is `reported` (node/file/transfer.h). */
void transfer_changed(struct transfers *files, struct transfer *t);
/* A number was given. */
void transfer_numbered(struct transfers *files);
/* It leaves the list. */
void transfer_forgotten(struct transfers *files, const struct transfer *t);

uint64_t transfer_store_deadline_us(const struct transfers *files);
/* Writes what is due: before anybody is told of what has changed. */
void transfer_store_pump(struct transfers *files);
/* The process ends in good order: what can be written is, and numbers go on where they are. */
void transfer_store_end(struct transfers *files);

#endif
