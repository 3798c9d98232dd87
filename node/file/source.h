/* source.h: the window of files that a sending transfer reads and gives to its stream: the inner
 * half of node/file/file_send, which it does not know: what it finds is a verdict.
 *
 * Up to TRANSFER_WINDOW files are open at a time. Each is read by operations of up to 1 MiB into
 * blocks of the endpoint's pool, hashed by the worker that reads, and its spans are given to the
 * stream without a copy. Reading runs ahead of the stream by SOURCE_AHEAD_BYTES. A read asks for
 * one byte more than the file should have, so that growth is noticed as surely as shrinking; the
 * size and mtime that FILE_OP_CLOSE gives back show a file that was written while it was read.
 */
#ifndef MESHD_NODE_FILE_SOURCE_H
#define MESHD_NODE_FILE_SOURCE_H

#include "node/file/transfer/transfer.h"

enum {
    SOURCE_AHEAD_BYTES = 4 << 20, /* read or being read, and not yet taken by the stream */
    SOURCE_COPY_BYTES = 8192,     /* smaller pieces are copied: they would pin a whole block each */
};

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

struct source_pool {     /* the blocks that all senders share */
    uint32_t blocks_max; /* of the endpoint */
    bool blocks_short;   /* one waits for memory: it is to be asked again at the next turn */
};

struct sources { /* zeroes but for the first group = nothing is read yet */
    struct transfers *files;
    struct transfer *t; /* whose they are */
    struct source_pool *pool;
    char **paths;       /* of all its files, and */
    uint32_t *mtime_ns; /* what the manifest does not say of them: the caller's */
    struct source window[TRANSFER_WINDOW]; /* file i is at i % TRANSFER_WINDOW */
    uint32_t first, next;                  /* files first..next-1 are in the window */
    uint64_t ahead_bytes;                  /* asked for or waiting for the stream */
    uint64_t given_bytes;                  /* the stream has taken */
    int err;                               /* with SOURCE_FAILED, and */
    const char *bad;                       /* which file it is about; NULL: none */
};

enum source_verdict {
    SOURCE_GOES_ON,
    SOURCE_GIVEN,  /* the stream has all files, and its end */
    SOURCE_FAILED, /* the transfer is to be ended */
};

/* Gives the stream what is read. */
enum source_verdict source_give(struct sources *w) MUST_USE;
/* Opens and reads what comes next. */
void source_read_ahead(struct sources *w);
/* How much of it has left; also once the stream has everything, which takes a slow line a while. */
void source_progress(struct sources *w);
/* An operation of the window (op->item) is back. */
enum source_verdict source_op_done(struct sources *w, struct file_op *op) MUST_USE;
/* Lets go of what no operation holds. */
void source_wind_down(struct sources *w);
void source_clear(struct sources *w);

#endif
