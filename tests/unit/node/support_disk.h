/* support_disk.h: a disk in memory that runs the core's file operations. */
#ifndef MESHD_TESTS_SUPPORT_DISK_H
#define MESHD_TESTS_SUPPORT_DISK_H

#include "support_world.h"

struct mem_disk *mem_disk_new(void);
void mem_disk_free(struct mem_disk *d);
/* Runs one operation; its result is in it. */
void mem_disk_run(struct mem_disk *d, struct file_op *op);
/* The process that had files open is gone: temporaries are removed. */
void mem_disk_forget(struct mem_disk *d);
/* The power goes: of what was made, what was not synced is lost. */
void mem_disk_power_cut(struct mem_disk *d);
struct disk_faults *mem_disk_faults(struct mem_disk *d);
void mem_disk_fill(struct mem_disk *d, const char *path, size_t len, unsigned salt);
const uint8_t *mem_disk_file(struct mem_disk *d, const char *path, size_t *len);
unsigned mem_disk_count(const struct mem_disk *d);
unsigned mem_disk_open(const struct mem_disk *d);

#endif
