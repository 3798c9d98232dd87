/* file_recv.h: the receiving side of a transfer (wire form: node/file/manifest/manifest.h).
 *
 * An offer waits until a rule or the user accepts it. Then the directory and its free space are
 * looked at, and for up to RECV_CHECK_FILES files that no name is taken, before the peer hears yes.
 * Then its window of files (node/file/sink.h) takes what comes.
 */
#ifndef MESHD_NODE_FILE_FILE_RECV_H
#define MESHD_NODE_FILE_FILE_RECV_H

#include "node/file/sink.h"
#include "node/file/transfer/recv_rule.h"
#include "node/file/transfer/transfer.h"

struct watch;

enum {
    RECV_CHECK_FILES = 1000, /* of more files, a taken name is found when the file's turn comes */
    RECV_STALL_US = 60 * 1000000, /* without SINK_MOVED_BYTES it may have to give way (offers.h) */
};

enum recv_stage {
    RECV_WAITS,     /* for accept */
    RECV_PREPARING, /* the directory and its free space */
    RECV_CHECKING,  /* that no name is taken */
    RECV_FLOWING,   /* the peer has heard yes */
};

struct file_recv { /* a transfer's `side` */
    enum recv_stage stage;
    uint32_t check_next, checked;
    struct sinks sinks;
};

struct receivers { /* zeroes but for the first two = nobody sends, and everything is asked for */
    struct transfers *files;
    struct watch *watch;
    struct recv_rules rules;
    uint64_t accept_max_bytes; /* larger ones are refused; 0: none is */
};

/* A whole manifest of c's has come on this stream; it is taken over. */
void file_recv_offer(struct receivers *all, struct contact *c, struct session_ref s,
                     uint64_t stream, struct manifest *m);
/* What came on this stream is no offer: answered with {"err"}, FIN and STOP. */
void file_recv_no(struct transfers *files, struct session_ref s, uint64_t stream, int err);
/* True while it waits for accept. */
bool file_recv_waits(const struct transfer *t);
/* It waits: from now on it does not. */
void file_recv_accept(struct transfers *files, struct transfer *t, const char *dir);

#endif
