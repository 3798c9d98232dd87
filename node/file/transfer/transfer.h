/* transfer.h: one offer of files, sent or received: its place in the table, its state, its events,
 * its file operations. What happens in each state is its side's, sending (node/file/file_send) or
 * receiving (node/file/file_recv): the table knows them only as struct transfer_ops.
 *
 *   sender    OPENING -> [CONNECTING ->] OFFERED -> RUNNING -> VERIFYING -> DONE
 *   receiver  OFFERED -> RUNNING -> VERIFYING -> DONE
 *   and FAILED from each that is not an end. transfer_enter asserts it.
 *
 * An ended transfer's memory is let go once its last file operation is back; its summary is kept
 * while there are no more than TRANSFERS_KEPT; beyond, the contact with most of them loses its
 * oldest.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_TRANSFER_H
#define MESHD_NODE_FILE_TRANSFER_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/base/event.h"
#include "node/base/event.h"
#include "node/base/handles.h"
#include "node/base/turn.h"
#include "node/disk/file_queue.h"
#include "node/file/manifest/manifest.h"
#include "node/file/transfer/transfer_info.h"
#include "node/file/transfer/write_pace.h"

struct contact;
struct contacts;
struct keep;
struct transfer;
struct transfers;

enum {
    TRANSFERS_KEPT = 64,
    TRANSFER_OPS_MAX = 64,             /* file operations of one transfer in flight */
    TRANSFER_WINDOW = 64,              /* files of one transfer open at once */
    TRANSFER_PROGRESS_US = 200 * 1000, /* at most 5 events a second */
    TRANSFER_PROGRESS_STORED_US = 5 * 1000000,
};

/* What sending and receiving do with one. Called while it has not ended, unless said otherwise;
 * what a side has no use for is NULL, but tell, op_done, late_op, wind_down and free. */
struct transfer_ops {
    void (*event)(struct transfers *files, struct transfer *t, const struct ep_event *ev);
    /* It runs, and blocks may have come back: what waited for some goes on. */
    void (*pump)(struct transfers *files, struct transfer *t);
    /* Goes on with what the last step left, if it did. */
    void (*step)(struct transfers *files, struct transfer *t);
    /* t->wake_us has come; the side sets the next one. */
    void (*wake)(struct transfers *files, struct transfer *t);
    /* It is asked how far it is: transfer_progress. */
    void (*progress)(struct transfers *files, struct transfer *t);
    /* Its session has ended with err, and the stream with it. False: that ends the transfer. */
    bool (*lost)(struct transfers *files, struct transfer *t, int err);
    /* It ends, and has a stream: the peer is told why. */
    void (*tell)(struct transfers *files, struct transfer *t, int err, const struct cause *why,
                 const char *file);
    /* An operation is back, and it goes on with that; or it has ended meanwhile. Both give it back.
     * */
    void (*op_done)(struct transfers *files, struct transfer *t, struct file_op *op);
    void (*late_op)(struct transfers *files, struct transfer *t, struct file_op *op);
    /* It has ended: closes what no operation holds. Then, with the last operation, all goes. */
    void (*wind_down)(struct transfers *files, struct transfer *t);
    void (*free)(struct transfers *files, void *side);
};

struct transfer {
    struct transfer_info info;
    uint64_t ref;     /* its handle */
    uint32_t contact; /* serial */
    bool has_stream;
    struct session_ref session;
    uint64_t stream;
    struct manifest manifest;
    uint64_t deadline_us; /* it ends then; 0: it does not, */
    int deadline_err;     /* with this, */
    struct cause deadline_why;
    uint64_t wake_us;        /* its side wants to be woken; 0: not */
    uint64_t asked_us;       /* sender: when the offer went out */
    uint64_t progress_at_us; /* when the last progress event was due */
    uint64_t progress_bytes; /* what it said */
    bool progress_due;
    bool reported;        /* its events may be seen: false until it is complete enough */
    bool changed, stored; /* node/file/transfer/transfer_store.h: to be written; is there */
    uint64_t changed_us;
    unsigned ops_out;
    const struct transfer_ops *ops; /* NULL: it is one of a former process */
    void *side;                     /* what they work with, while it lives */
};

struct transfers { /* zeroes but for the first five = empty */
    struct turn *turn;
    struct keep *keep;
    struct work *work;
    struct contacts *contacts;
    unsigned part;          /* whose streams and operations theirs are (node/base/owner.h) */
    struct transfer **list; /* oldest first */
    uint32_t count, cap;
    struct handles refs; /* to those in the list */
    uint64_t last_id;
    struct write_pace pace;
};

/* ---- the table ---- */
void transfers_clear(struct transfers *files);
/* A new one in `state`. ERR_FULL, ERR_NOMEM. */
int transfer_new(struct transfers *files, const struct contact *c, bool outgoing,
                 enum transfer_state state, struct transfer **out) MUST_USE;
/* It is complete enough: from now on it is in the list. */
void transfer_report(struct transfers *files, struct transfer *t);
/* For node/file/transfer/transfer_store.c, at the start: an empty one behind the others, whose
 * number is greater than theirs. ERR_NOMEM. */
int transfers_add(struct transfers *files, uint64_t id, struct transfer **out) MUST_USE;
void transfers_drop_last(struct transfers *files);
void transfers_drop_oldest(struct transfers *files);
struct transfer *transfer_by_id(const struct transfers *files, uint64_t id);
/* Whose cookie this is (node/base/owner.h); NULL: it is not there any more. */
struct transfer *transfer_by_owner(const struct transfers *files, uint64_t owner);
bool transfer_ended(const struct transfer *t);
/* How many run; and of these, how many send: they share the blocks for that. */
unsigned transfers_running(const struct transfers *files);
unsigned transfers_sending(const struct transfers *files);
unsigned transfers_live(const struct transfers *files); /* not ended */

/* ---- one of them ---- */
/* Its stream: from now on the events of that find it. */
void transfer_take_stream(struct transfers *files, struct transfer *t, struct session_ref s,
                          uint64_t stream);
/* Its entry in the store is not what it is any more. */
void transfer_changed(struct transfers *files, struct transfer *t);
void transfer_enter(struct transfers *files, struct transfer *t, enum transfer_state to);
/* Ends it here; its side has told the peer, or there is none to tell. detail: peer's or user's
 * words; NULL: none. No effect on an ended one. */
void transfer_fail(struct transfers *files, struct transfer *t, int err, const char *detail);
/* Fails it and tells the peer why. */
void transfer_abort(struct transfers *files, struct transfer *t, int err, const char *detail);
/* The same, for an error whose cause is not what this node has found itself. */
void transfer_fail_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                      const char *detail);
void transfer_abort_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                       const char *detail);
/* So far it is: an event at most every TRANSFER_PROGRESS_US, and one when all bytes are done. */
void transfer_progress(struct transfers *files, struct transfer *t, uint64_t bytes_done);
/* The event that is due. False: none. */
bool transfer_take_progress(struct transfers *files, struct transfer *t, struct node_event *out);

/* ---- file operations with this transfer as owner ---- */
struct file_op *transfer_op(struct transfers *files, struct transfer *t, enum file_op_kind kind);
void transfer_submit(struct transfers *files, struct transfer *t,
                     struct file_op *op); /* counts it */
/* It is back: its side gets it. */
void transfer_op_done(struct transfers *files, struct file_op *op);
/* Closes a slot that has no operation out (a temporary is removed). False: no memory; the slot
 * stays open. */
bool transfer_close_slot(struct transfers *files, struct transfer *t, uint32_t slot);

#endif
