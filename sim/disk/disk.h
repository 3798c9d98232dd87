/* disk.h: a virtual disk that runs a node's file operations (node/disk/file_op.h) without storing a
 * byte: the content of a file is generated from its base name and the offset, and what a node
 * writes under a name is compared with what that name generates. So a transferred terabyte costs no
 * memory, and a single wrong byte is counted. A file with wrong bytes still reads as generated.
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
};

struct disk;

struct disk *disk_new(const struct draw *draw, uint32_t entity); /* NULL: no memory */
void disk_free(struct disk *d);
void disk_configure(struct disk *d, const struct disk_config *c);
void disk_get_config(const struct disk *d, struct disk_config *out);
/* A complete file whose content is generated. ERR_EXISTS, ERR_NOMEM, ERR_DISK. */
int disk_make_file(struct disk *d, const char *path, uint64_t size) MUST_USE;

/* When an operation handed in now will be done; it takes its place in the queue. */
uint64_t disk_submit(struct disk *d, uint64_t now_ns, const struct file_op *op);
/* Runs it: fills op->err and op->bytes, and updates op->hash. */
void disk_run(struct disk *d, uint64_t now_ns, struct file_op *op);
/* Every file is gone. */
void disk_wipe(struct disk *d);
/* The process died: slots are gone, temporaries stay. */
void disk_crash(struct disk *d);

/* The power went: temporaries are gone, and of the names that no FILE_OP_SYNC_DIR has made safe, those
 * whose bit of `drawn` is not set. */
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
