/* file_recv.h: the receiving side of a transfer (wire form: node/file/manifest.h).
 *
 * An offer waits until a rule or the user accepts it. Then the directory and its free space are
 * looked at, and for up to RECV_CHECK_FILES files that no name is taken, before the peer hears yes.
 * Bytes go from the stream's blocks to the disk without a copy; the stream's credit is renewed only
 * when a write is back, which bounds memory. A file gets its name only after its tree hash is the
 * sender's; files are created ahead and committed behind the one being written, at most
 * TRANSFER_WINDOW together.
 */
#ifndef MESHD_NODE_FILE_FILE_RECV_H
#define MESHD_NODE_FILE_FILE_RECV_H

#include "node/file/transfer.h"

enum {
    RECV_CHECK_FILES = 1000, /* of more files, a taken name is found when the file's turn comes */
    /* Of a file, gathered before a thread writes them: so many, or a part of the stream's window, but not for longer. */
    RECV_WRITE_BYTES = 512 << 10,
    RECV_WINDOW_PARTS = 8,
    RECV_HOLD_US = 5000,
    RECV_CREATE_AHEAD = 16,
};

/* A whole manifest has come on this stream; it is taken over. */
void file_recv_offer(struct transfers *files, struct contact *c, struct session_ref s,
                     uint64_t stream, struct manifest *m);
/* What came on this stream is no offer: answered with {"err"}, FIN and STOP. */
void file_recv_no(struct transfers *files, struct session_ref s, uint64_t stream, int err);
/* True while it waits for accept. */
bool file_recv_waits(const struct transfer *t);
/* True if it runs, and the sender has not sent TRANSFER_STALL_BYTES for TRANSFER_STALL_US. */
bool file_recv_stalls(const struct transfers *files, const struct transfer *t);
void file_recv_accept(struct transfers *files, struct transfer *t, const char *dir);
void file_recv_free(struct transfer *t);
/* Every file is verified and has its name: once the directory is on the disk the sender hears it. */
void file_recv_finished(struct transfers *files, struct transfer *t);
/* Answers {"err"} with the file's name (NULL: none), ends the stream and the transfer. */
void file_recv_refuse(struct transfers *files, struct transfer *t, int err, const char *file);
void file_recv_refuse_as(struct transfers *files, struct transfer *t, int err, struct cause cause,
                         const char *file);
void file_recv_op_done(struct transfers *files, struct transfer *t, struct file_op *op);
void file_recv_event(struct transfers *files, struct transfer *t, const struct ep_event *ev);
void file_recv_pump(struct transfers *files, struct transfer *t);
void file_recv_wind_down(struct transfers *files, struct transfer *t);
void file_recv_late_op(struct transfers *files, struct transfer *t, struct file_op *op);

#endif
