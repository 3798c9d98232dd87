/* file_queue.h: file operations on their way out, and the slot numbers that name open files.
 *
 * An operation is made by a transfer, queued here, taken by the environment (node_next_file_op),
 * given back (node_file_done) and released by the transfer. It owns the block references in its
 * spans. The pool keeps some for reuse, so that a running transfer allocates nothing.
 */
#ifndef MESHD_NODE_DISK_FILE_QUEUE_H
#define MESHD_NODE_DISK_FILE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/base/err.h"
#include "node/disk/file_op.h"

enum { WORK_KEEP = 256 };

struct work {                    /* zeroes = empty */
    struct file_op *head, *tail; /* waiting for the environment */
    struct file_op *spare;
    unsigned spare_count;
    unsigned out; /* taken by the environment, not back */
    uint64_t slots[FILE_SLOTS_MAX / 64];
};

void work_clear(struct work *w); /* operations that are out are lost: the environment has stopped */
/* Zeroed but for kind and owner. NULL: no memory. */
struct file_op *work_new(struct work *w, enum file_op_kind kind, uint64_t owner);
void work_submit(struct work *w, struct file_op *op);
struct file_op *work_take(struct work *w); /* NULL: none waits */
/* Drops the references in its spans and takes the operation back. */
void work_release(struct work *w, struct file_op *op);

int work_slot_take(struct work *w, uint32_t *slot) MUST_USE; /* ERR_FULL */
void work_slot_give(struct work *w, uint32_t slot);

#endif
