/* disk.h: a virtual disk that runs a node's file operations (node/disk/file_op.h) without storing a
 * byte: the content of a file is generated from its base name and the offset, and what a node
 * writes under a name is compared with what that name generates. So a transferred terabyte costs no
 * memory, and a single wrong byte is counted. A file with wrong bytes still reads as generated.
 * (For a test that looks at what came under another name the bytes are kept: disk_keep_bytes.)
 *
 * The disk is a queue: an operation starts when the ones before it are done, and takes its latency
 * plus its bytes over the rate. It outlives the node; what was open at a crash stays as a
 * temporary.
 */
#ifndef MESHD_SIM_DISK_DISK_H
#define MESHD_SIM_DISK_DISK_H

#include <stdbool.h>
#include <stdint.h>

#include "node/disk/file_op.h"
#include "sim/engine/draw.h"

struct disk_config {
    uint64_t latency_ns;
    uint64_t rate_bytes;     /* a second; 0: unlimited */
    uint64_t capacity_bytes; /* 0: unlimited */
    uint32_t read_error_ppb; /* of a READ operation: ERR_IO */
    uint32_t sync_error_ppb; /* of a SYNC_DIR operation: ERR_IO */
};

/* What a test lets go wrong, at a place of its choice. All but the rooms zeroes: nothing. */
struct disk_faults {
    uint64_t room;                     /* bytes a PREPARE may promise; no limit at first */
    uint64_t room_late;                /* bytes that can really be written; no limit at first */
    int prepare;                       /* what PREPARE gives */
    enum limit limit;                  /* and what that is about */
    const char *read_error;            /* path whose READ gives ERR_IO */
    const char *unsized;               /* path that says 0 bytes, and has some */
    bool sync_error;                   /* SYNC_DIR gives ERR_IO */
    const char *flip;                  /* path whose bytes are changed after they were hashed */
    const char *grow, *shrink, *touch; /* path that changes once it was opened twice */
    uint64_t fail_after; /* 0: never; else the n-th operation from now gives ERR_IO (no CLOSE) */
    uint64_t fail_more;  /* and so many after it */
};

struct disk;

struct disk *disk_new(const struct draw *draw, uint32_t entity); /* NULL: no memory */
void disk_free(struct disk *d);
void disk_configure(struct disk *d, const struct disk_config *c);
void disk_get_config(const struct disk *d, struct disk_config *out);
/* A complete file whose content is generated. ERR_EXISTS, ERR_NOMEM, ERR_DISK. */
int disk_make_file(struct disk *d, const char *path, uint64_t size) MUST_USE;

/* The same, also where there is one already; another salt gives other bytes. ERR_NOMEM. */
int disk_make_again(struct disk *d, const char *path, uint64_t size, uint64_t salt) MUST_USE;
/* From now on (there is no file yet) the bytes that are written are kept, whatever they are: none
 * is wrong, and a file's size is what was written. */
void disk_keep_bytes(struct disk *d);
/* To be changed at any time. */
struct disk_faults *disk_faults_of(struct disk *d);

/* When an operation handed in now will be done; it takes its place in the queue. */
uint64_t disk_submit(struct disk *d, uint64_t now_ns, const struct file_op *op);
/* Runs it: fills op->err and op->bytes, and updates op->hash. */
void disk_run(struct disk *d, uint64_t now_ns, struct file_op *op);
/* Every file is gone. */
void disk_wipe(struct disk *d);
/* The process died: slots are gone, temporaries stay. */
void disk_crash(struct disk *d);
/* What meshd does when it starts: temporaries are removed. */
void disk_sweep(struct disk *d);
/* The power went: temporaries are gone, and of the names that no FILE_OP_SYNC_DIR has made safe,
 * those whose bit of `drawn` is not set. */
void disk_power_cut(struct disk *d, uint64_t drawn);
/* How many files have their final name and not all their bytes, or wrong ones. */
uint64_t disk_partial(const struct disk *d);

struct disk_file_info {
    uint64_t size, written_bytes, wrong_bytes;
    bool complete; /* committed, every byte written once, none wrong; or made by disk_make_file */
    bool temporary;
    uint64_t longest_gap_ns; /* between two writes */
};
bool disk_file_info(const struct disk *d, const char *path, struct disk_file_info *out);
/* Whether there are both and they hold the same bytes. */
bool disk_same(const struct disk *a, const char *a_path, const struct disk *b, const char *b_path);

struct disk_totals {
    uint64_t files, temporaries, open_slots, used_bytes;
    uint64_t read_bytes, written_bytes, wrong_bytes;
};
void disk_totals(const struct disk *d, struct disk_totals *out);

/* The content that belongs to `key`, from `offset` on. */
uint64_t disk_content_key(const struct draw *draw, const char *name);
void disk_generate(uint64_t key, uint64_t offset, uint8_t *out, size_t len);
/* How many of the bytes are not what belongs there. */
uint64_t disk_wrong_bytes(uint64_t key, uint64_t offset, const uint8_t *in, size_t len);

#endif
