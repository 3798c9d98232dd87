/* source.h: the window of files that a sending transfer reads and gives to its stream: the inner
 * half of node/file/file_send, for it only.
 */
#ifndef MESHD_NODE_FILE_SOURCE_H
#define MESHD_NODE_FILE_SOURCE_H

#include "node/channel/delimited.h"
#include "node/file/manifest_out.h"
#include "node/file/transfer.h"

enum source_phase {
    SOURCE_OPENING,
    SOURCE_READING,
    SOURCE_CLOSING, /* all read; FILE_OP_CLOSE tells whether it was changed meanwhile */
    SOURCE_READY,   /* the root is known */
};

struct source { /* a file of the window */
    uint32_t index, slot;
    enum source_phase phase;
    bool busy;           /* an operation is out */
    bool odd;            /* there were more or fewer bytes than its size says */
    uint64_t asked;      /* by the READ that is out */
    uint64_t read_bytes; /* what has come */
    struct treehash *hash;
    uint8_t root[TREEHASH_BYTES];
    size_t root_at;              /* bytes of it the stream has taken */
    struct file_op *head, *tail; /* finished READs whose spans wait for the stream */
    unsigned span_at;            /* in head */
};

struct file_send {
    char **paths; /* one allocation with their text */
    char *name;   /* of the only file, if it is not as its path ends; else NULL */
    uint32_t *mtime_ns;
    uint32_t named;            /* how many of them the manifest has */
    uint32_t opened, closed;   /* first pass over the sources: asked for, and finished */
    struct manifest_out offer; /* on its way */
    uint64_t files_bytes;      /* what the files take in it */
    uint64_t offer_bytes;      /* its body */
    bool offered;              /* all of it is the stream's */
    unsigned again;            /* how often it was offered again, since the session was dead */
    struct blob_in reply;
    bool accepted, stopped;
    struct source window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, next;                  /* files first..next-1 are in the window */
    uint64_t ahead_bytes;                  /* asked for or waiting for the stream */
    uint64_t given_bytes;                  /* the stream has taken */
};

/* Gives the stream what is read, opens and reads what comes next. */
void source_pump(struct transfers *files, struct transfer *t);
/* How much of it has left; also once the stream has everything, which takes a slow line a while. */
void source_progress(struct transfers *files, struct transfer *t);
/* An operation of the window is back; the transfer may have ended after it. */
void source_op_done(struct transfers *files, struct transfer *t, struct file_op *op);
/* Lets go of what no operation holds. */
void source_wind_down(struct transfers *files, struct transfer *t);
void source_free_all(struct transfers *files, struct transfer *t);

#endif
