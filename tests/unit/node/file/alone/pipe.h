/* pipe.h: a window of sources and a window of sinks joined by a stream between two real endpoints,
 * each with a disk, and no node. What they find is kept, and nobody acts on it. */
#ifndef MESHD_TESTS_PIPE_H
#define MESHD_TESTS_PIPE_H

#include "node/file/sink.h"
#include "node/file/source.h"
#include "sim/disk/disk.h"
#include "support_pair.h"
#include "support_room.h"

enum { PIPE_FILES = 200 };

struct pipe_end {
    struct room *room;
    struct disk *disk;
    struct transfer *t;
};

struct pipe {
    struct pair *net;
    struct session_ref session[2];
    struct draw draw;
    struct pipe_end from, to;
    struct source_pool pool;
    struct sources sources;
    struct sinks sinks;
    enum source_verdict given; /* what they have come to */
    enum sink_verdict taken;
    unsigned wholes;
    char names[PIPE_FILES][16], path_text[PIPE_FILES][16], *paths[PIPE_FILES];
    uint32_t mtime_ns[PIPE_FILES];
};

/* `count` files "f0", "f1", ... of so many bytes each, named by the sender's "/f0" and so on. */
struct pipe *pipe_new(unsigned count, uint64_t bytes);
void pipe_free(struct pipe *p);
/* Until one of them has come to an end, or for so long. */
void pipe_run(struct pipe *p, uint64_t us);
/* What is out is done by the disks, which say what it came to. */
void pipe_disks(struct pipe *p);
/* Straight into the stream, in place of the sources. */
void pipe_write(struct pipe *p, const void *bytes, size_t len, bool fin);
unsigned pipe_whole_files(const struct pipe *p); /* at the receiver */

#endif
