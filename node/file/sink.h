/* sink.h: the window of files that a receiving transfer writes from its stream: the inner half of
 * node/file/file_recv, for it only.
 */
#ifndef MESHD_NODE_FILE_SINK_H
#define MESHD_NODE_FILE_SINK_H

#include "node/file/transfer.h"

enum recv_stage {
    RECV_WAITS,     /* for accept */
    RECV_PREPARING, /* the directory and its free space */
    RECV_CHECKING,  /* that no name is taken */
    RECV_FLOWING,   /* the peer has heard yes */
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

struct file_recv {
    enum recv_stage stage;
    uint32_t check_next, checked;
    struct sink window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, current, next; /* done before first; bytes go to current; created before next */
    size_t skip;                   /* bytes of the stream handed out and not consumed yet */
    uint64_t written_bytes;
    uint64_t held_us; /* a few bytes wait for more until then; 0: none do */
    /* When the last TRANSFER_STALL_BYTES had come; and of the next ones, so many. */
    uint64_t moved_us;
    size_t moved_bytes;
    bool end_seen; /* the sender's FIN has come, and nothing before it but what belongs there */
};

/* Takes what the stream has, creates what comes next. */
void sink_pump(struct transfers *files, struct transfer *t);
/* At held_us: what was held back is handed on. */
void sink_timeout(struct transfers *files, struct transfer *t);
/* An operation of the window is back; the transfer may have ended after it. */
void sink_op_done(struct transfers *files, struct transfer *t, struct file_op *op);
/* Closes what no operation holds: temporaries are removed. */
void sink_wind_down(struct transfers *files, struct transfer *t);
void sink_free_all(struct transfer *t);

#endif
