/* file_send.h: the sending side of a transfer (wire form: node/file/manifest.h).
 *
 * Sources are opened once before the peer is bothered, for their sizes, and closed again; then up
 * to TRANSFER_WINDOW of them are open at a time. Each file is read by operations of up to 1 MiB
 * into blocks of the endpoint's pool, hashed by the worker that reads, and its spans are given to
 * the stream without a copy. Reading runs ahead of the stream by SEND_AHEAD_BYTES. A read asks for
 * one byte more than the file should have, so that growth is noticed as surely as shrinking; the
 * size and mtime that FILE_OP_CLOSE gives back show a file that was written while it was read.
 */
#ifndef MESHD_NODE_FILE_FILE_SEND_H
#define MESHD_NODE_FILE_FILE_SEND_H

#include "node/file/transfer.h"

enum {
    SEND_PRIORITY = 5,          /* files go after words */
    SEND_AHEAD_BYTES = 4 << 20, /* read or being read, and not yet taken by the stream */
    SEND_COPY_BYTES = 8192,     /* smaller pieces are copied: they would pin a whole block each */
    /* Between two node_timeouts, of all senders: bytes of names looked at, SEND_NAME_BYTES more for
     * each, and bytes of offers written. At most 2 ms of work. */
    SEND_STEP_BYTES = 128 << 10,
    SEND_NAME_BYTES = 64,
    SEND_NAMES_AT_ONCE = 1000, /* of more, all are looked at in later steps */
};

/* Paths are taken over, also on an error; their names are looked at, sources opened. ERR_USAGE (two
 * files of one name, or none), ERR_NOMEM: then the caller drops t. More than SEND_NAMES_AT_ONCE names
 * are looked at in steps: then the transfer fails for these reasons. */
int file_send_start(struct transfers *files, struct transfer *t,
                    const struct send_order *order) MUST_USE;
void file_send_free(struct transfers *files, struct transfer *t);
/* The session is there: the offer goes out. */
void file_send_offer(struct transfers *files, struct transfer *t, struct contact *c);
/* The session ended before the peer had answered: waits for the next one. False: it has failed for good. */
enum { OFFERS_AGAIN_MAX = 3 };
bool file_send_again(struct transfers *files, struct transfer *t);
void file_send_op_done(struct transfers *files, struct transfer *t, struct file_op *op);
/* The cause of an error that came with RESET or STOP, without further words. */
struct cause file_send_stopped(int err);
void file_send_event(struct transfers *files, struct transfer *t, const struct ep_event *ev);
/* Goes on with what the last step left, if it did. */
void file_send_step(struct transfers *files, struct transfer *t);
void file_send_pump(struct transfers *files, struct transfer *t);
/* Lets go of what no operation holds; called at the end and after each late operation. */
void file_send_wind_down(struct transfers *files, struct transfer *t);
void file_send_late_op(struct transfers *files, struct transfer *t, struct file_op *op);

#endif
