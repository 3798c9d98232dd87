/* sink.h: the window of files that a receiving transfer writes from its stream: the inner half of
 * node/file/file_recv, which it does not know: what it finds is a verdict.
 *
 * Bytes go from the stream's blocks to the disk without a copy; the stream's credit is renewed only
 * when a write is back, which bounds memory. A file gets its name only after its tree hash is the
 * sender's; files are created ahead and committed behind the one being written, at most
 * TRANSFER_WINDOW together.
 */
#ifndef MESHD_NODE_FILE_SINK_H
#define MESHD_NODE_FILE_SINK_H

#include "node/file/transfer/transfer.h"

enum {
    /* Of a file, gathered before a thread writes them: so many, or a part of the stream's window,
     * but not for longer. */
    SINK_WRITE_BYTES = 512 << 10,
    SINK_WINDOW_PARTS = 8,
    SINK_HOLD_US = 5000,
    SINK_CREATE_AHEAD = 16,
    SINK_MOVED_BYTES = 16 << 10, /* so many show that the sender lives */
};

enum sink_phase {
    SINK_CREATING,
    SINK_WRITING,
    SINK_COMMITTING,
    SINK_DONE,
};

struct sink { /* a file of the window */
    uint32_t index, slot;
    enum sink_phase phase;
    bool busy; /* an operation is out */
    struct treehash *hash;
    uint64_t given, written; /* bytes handed to a WRITE; bytes on disk */
    uint8_t root[TREEHASH_BYTES];
    size_t root_len; /* of the sender's root, what has come */
};

struct sinks { /* zeroes but for the first two = nothing has come yet */
    struct transfers *files;
    struct transfer *t;                  /* whose they are; its wake_us is set here */
    struct sink window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, current, next; /* done before first; bytes go to current; created before next */
    size_t skip;                   /* bytes of the stream handed out and not consumed yet */
    uint64_t written_bytes;
    /* When the last SINK_MOVED_BYTES had come; and of the next ones, so many. */
    uint64_t moved_us;
    size_t moved_bytes;
    bool end_seen;   /* the sender's FIN has come, and nothing before it but what belongs there */
    int err;         /* with SINK_REFUSED, and */
    const char *bad; /* which file it is about; NULL: none */
};

enum sink_verdict {
    SINK_GOES_ON,
    SINK_WHOLE,   /* every file is verified and has its name, and the sender has ended. Once */
    SINK_REFUSED, /* the transfer is to be ended */
};

/* Takes what the stream has, creates what comes next. The transfer enters VERIFYING here. */
enum sink_verdict sink_pump(struct sinks *w) MUST_USE;
/* An operation of the window (op->item) is back; it is given back. */
enum sink_verdict sink_op_done(struct sinks *w, struct file_op *op) MUST_USE;
/* Closes what no operation holds: temporaries are removed. */
void sink_wind_down(struct sinks *w);
void sink_clear(struct sinks *w);

#endif
