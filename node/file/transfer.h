/* transfer.h: one offer of files, sent or received: its place in the table, its state, its events.
 * What happens in each state is node/file/file_send's and node/file/file_recv's.
 *
 *   sender    OPENING -> [CONNECTING ->] OFFERED -> RUNNING -> VERIFYING -> DONE
 *   receiver  OFFERED -> RUNNING -> VERIFYING -> DONE
 *   and FAILED from each that is not an end. transfer_enter asserts it.
 *
 * An ended transfer's memory is let go once its last file operation is back; its summary is kept
 * while there are no more than TRANSFERS_KEPT; beyond, the contact with most of them loses its oldest.
 */
#ifndef MESHD_NODE_FILE_TRANSFER_H
#define MESHD_NODE_FILE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

#include "node/base/handles.h"
#include "node/file/manifest.h"
#include "node/file/recv_rule.h"
#include "node/file/transfer_info.h"
#include "node/file/transfer_store.h"
#include "node/peer/dead_peer.h"
#include "node/peer/dial.h"
#include "node/people/contact.h"

struct file_send;
struct file_recv;

enum {
    TRANSFERS_KEPT = 64,
    TRANSFER_OPS_MAX = 64,             /* file operations of one transfer in flight */
    TRANSFER_WINDOW = 64,              /* files of one transfer open at once */
    TRANSFER_PROGRESS_US = 200 * 1000, /* at most 5 events a second */
    TRANSFER_STOP_US = 5 * 1000000,    /* a peer that stopped reading says why within this */
};

struct transfer {
    struct transfer_info info;
    uint64_t ref;     /* its handle */
    uint32_t contact; /* serial */
    bool has_stream;
    struct session_ref session;
    uint64_t stream;
    struct manifest manifest;
    uint64_t deadline_us;    /* 0: none */
    int deadline_err;        /* what has happened when it is over */
    uint64_t asked_us;       /* sender: when the offer went out */
    uint64_t progress_at_us; /* when the last progress event was due */
    uint64_t progress_bytes; /* what it said */
    bool progress_due;
    bool reported;        /* its events may be seen: false until it is complete enough */
    bool changed, stored; /* node/file/transfer_store.h: to be written; is there */
    uint64_t changed_us;
    unsigned ops_out;
    struct file_send *send; /* one of these while it lives */
    struct file_recv *recv;
};

struct transfers { /* zeroes but for these = empty */
    struct turn *turn;
    struct keep *keep;
    struct work *work;
    unsigned part; /* its number (node/base/part.h) */
    struct contacts *contacts;
    struct dials *dials;
    struct watch *watch;
    struct recv_rules rules;
    uint64_t accept_max_bytes;
    uint32_t blocks_max;    /* of the endpoint */
    bool blocks_short;      /* a sender waits for memory: pumped at the next turn */
    struct transfer **list; /* oldest first */
    unsigned count, cap;
    struct handles refs; /* to those in the list */
    uint64_t last_id;
    struct transfer_store store;
    /* Senders with many files make steps (node/file/file_send.h). */
    bool more;                    /* one has a step to make at once */
    unsigned step_first;          /* which one is asked first */
    size_t step_bytes, step_most; /* work since the last node_timeout; the most of a step */
};

void transfers_clear(struct transfers *files);
/* A new one in `state`. ERR_FULL, ERR_NOMEM. */
int transfer_new(struct transfers *files, const struct contact *c, bool outgoing,
                 enum transfer_state state, struct transfer **out) MUST_USE;
/* It is complete enough: from now on it is in the list. */
void transfer_report(struct transfers *files, struct transfer *t);
/* For node/file/transfer_store.c, at the start: an empty one behind the others, whose number is greater than
 * theirs. ERR_NOMEM. */
int transfers_add(struct transfers *files, uint64_t id, struct transfer **out) MUST_USE;
void transfers_drop_last(struct transfers *files);
void transfers_drop_oldest(struct transfers *files);
struct transfer *transfer_by_id(const struct transfers *files, uint64_t id);
/* Whose cookie this is (node/base/owner.h); NULL: it is not there any more. */
struct transfer *transfer_by_owner(const struct transfers *files, uint64_t owner);
/* Its stream: from now on the events of that find it. */
void transfer_take_stream(struct transfers *files, struct transfer *t, struct session_ref s,
                          uint64_t stream);
bool transfer_ended(const struct transfer *t);
/* How many run; and of these, how many send: they share the blocks for that. */
unsigned transfers_running(const struct transfers *files);
unsigned transfers_sending(const struct transfers *files);
unsigned transfers_live(const struct transfers *files); /* not ended */

void transfer_enter(struct transfers *files, struct transfer *t, enum transfer_state to);
/* Ends it here; the channel's own module has told the peer, or there is none to tell. detail:
 * peer's or user's words; NULL: none. No effect on an ended one. */
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

/* File operations with this transfer as owner. submit counts them. */
struct file_op *transfer_op(struct transfers *files, struct transfer *t, enum file_op_kind kind);
void transfer_submit(struct transfers *files, struct transfer *t, struct file_op *op);
void transfer_op_done(struct transfers *files, struct file_op *op);
/* Closes a slot that has no operation out (a temporary is removed). False: no memory; the slot
 * stays open. */
bool transfer_close_slot(struct transfers *files, struct transfer *t, uint32_t slot);

void transfers_peer_up(struct transfers *files, struct contact *c);
void transfers_connect_failed(struct transfers *files, struct contact *c, int err);
/* Offers of `before` at the latest of which nothing was heard end (ERR_OFFLINE). Gives when the first
 * of the later ones was made; UINT64_MAX: there is none. */
uint64_t transfers_peer_silent(struct transfers *files, const struct contact *c,
                               uint64_t before_us);
void transfers_session_down(struct transfers *files, struct session_ref s, int err);
void transfers_contact_renamed(struct transfers *files, const struct contact *c);
void transfers_contact_gone(struct transfers *files, const struct contact *c);
void transfers_shutdown(struct transfers *files);
void transfer_stream_event(struct transfers *files, struct transfer *t, const struct ep_event *ev);
/* Blocks may have come back: those that waited for some go on. */
void transfers_pump(struct transfers *files);
bool transfers_poll_progress(struct transfers *files, struct node_event *out);
uint64_t transfers_deadline_us(const struct transfers *files);
void transfers_timeout(struct transfers *files);

/* As node_send_taken, node_accept, node_reject, node_transfer_waits, node_recv_start, node_cancel,
 * node_transfer_abandon, node_transfer_at, node_transfer_get and node_transfer_file. */
int transfer_send(struct transfers *files, const struct send_order *order, uint64_t *id) MUST_USE;
int transfer_accept(struct transfers *files, uint64_t id, const char *dir) MUST_USE;
int transfer_reject(struct transfers *files, uint64_t id) MUST_USE;
bool transfer_waits(const struct transfers *files, uint64_t id);
int recv_rule_start(struct transfers *files, const char *dir, const char *contact, bool once,
                    uint64_t *id) MUST_USE;
int transfer_cancel(struct transfers *files, uint64_t id) MUST_USE;
void transfer_abandon(struct transfers *files, uint64_t id);
bool transfer_at(const struct transfers *files, unsigned i, struct transfer_info *out);
bool transfer_get(const struct transfers *files, uint64_t id, struct transfer_info *out);
const char *transfer_file(const struct transfers *files, uint64_t id, uint32_t i, uint64_t *size);

extern const struct part_ops transfers_part; /* self: the struct transfers */

#endif
