/* write_pace.h: when the list of transfers is written (node/file/transfer/transfer_store.h), and
 * how far their numbers are laid by. It knows times and numbers only.
 *
 * The changes of a turn are written together; and those of many turns, when more come than
 * WRITE_PACE_BURST_US and WRITE_PACE_US say, so that a contact that offers and takes back costs the
 * disk no more than that. Numbers are laid by WRITE_PACE_IDS at a time. That is never put off:
 * while other writing is, they are laid by WRITE_PACE_IDS_FLOOD. What cannot be written is tried
 * again, later and later.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_WRITE_PACE_H
#define MESHD_NODE_FILE_TRANSFER_WRITE_PACE_H

#include <stdbool.h>
#include <stdint.h>

enum {
    WRITE_PACE_IDS = 32,
    WRITE_PACE_IDS_FLOOD = 1024,
    WRITE_PACE_BURST_US = 2000 * 1000, /* ten transactions at once, */
    WRITE_PACE_US = 200 * 1000,        /* then one in so long */
    WRITE_PACE_RETRY_US = 1000 * 1000, /* after a failed one; doubled with every further one, */
    WRITE_PACE_RETRY_MAX_US = 60 * 1000000, /* up to this */
    WRITE_PACE_GONE_MAX = 128, /* the most the list can have: those under way, and those kept */
};

struct write_pace {      /* zeroes = nothing to write, and no number is laid by */
    uint64_t due_us;     /* when it is written; 0: nothing has changed */
    uint64_t spent_us;   /* what was written so far is paid for at this time, WRITE_PACE_US each */
    uint64_t backoff_us; /* before the last one that failed is repeated; 0: none did */
    uint64_t ids;        /* as stored: no number so far is greater */
    uint64_t *gone;      /* stored, and in the list no more; NULL: none so far */
    uint32_t gone_count, gone_cap;
};

void write_pace_clear(struct write_pace *p);

/* An entry has changed. */
void write_pace_changed(struct write_pace *p, uint64_t now_us);
/* This number was given to one. */
void write_pace_numbered(struct write_pace *p, uint64_t now_us, uint64_t id);
/* The stored entry of this number is to go. */
void write_pace_gone(struct write_pace *p, uint64_t now_us, uint64_t id);

uint64_t write_pace_deadline_us(const struct write_pace *p); /* UINT64_MAX: nothing is due */
bool write_pace_due(const struct write_pace *p, uint64_t now_us);
/* What is to be laid by with what is written now: `ids` if there are enough behind `last_id`. */
uint64_t write_pace_ids(const struct write_pace *p, uint64_t now_us, uint64_t last_id);
/* Everything has been written, with this number laid by. */
void write_pace_written(struct write_pace *p, uint64_t now_us, uint64_t ids);
/* It could not be. True if that is the first time in a row. */
bool write_pace_failed(struct write_pace *p, uint64_t now_us);

#endif
