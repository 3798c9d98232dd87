/* disk_int.h: private to disk.c (operations, and what goes wrong with them) and disk_files.c (the
 * files that are there).
 */
#ifndef MESHD_SIM_DISK_DISK_INT_H
#define MESHD_SIM_DISK_DISK_INT_H

#include "sim/disk/disk.h"

enum { DISK_PATH_BYTES = 1400 };

struct file {
    char *path;       /* where it is now */
    char *final_path; /* a temporary's name to be; else NULL */
    uint64_t key, size, written_bytes, wrong_bytes;
    uint8_t *bytes; /* kept: what was written; NULL: what `key` generates */
    uint32_t bytes_cap;
    uint64_t last_write_ns, longest_gap_ns;
    bool made, committed;
    bool safe; /* its name survives a power cut */
    unsigned opened;
    uint32_t mode;
    int64_t mtime_s;
};

struct disk {
    struct disk_config cfg;
    struct disk_faults faults;
    const struct draw *draw;
    uint32_t entity;
    bool keeps; /* the bytes that are written */
    uint64_t reads, syncs, free_ns, used_bytes;
    uint64_t read_bytes, written_bytes, wrong_bytes;
    struct file **files;
    size_t file_count;
    uint32_t file_cap;
    struct file *slots[FILE_SLOTS_MAX];
};

/* disk_files.c */
struct file *disk_find(const struct disk *d, const char *path);
/* A new one; `final_path` NULL: not a temporary. NULL: no memory. */
struct file *disk_add(struct disk *d, const char *path, const char *final_path);
void disk_forget(struct disk *d, struct file *f);
bool disk_has_room(const struct disk *d, uint64_t bytes);
/* Up to len bytes from `at` on; how many there are. */
size_t disk_get(const struct file *f, uint64_t at, uint8_t *out, size_t len);
/* Takes the bytes, or counts those that are not what the name generates. False: no memory. */
bool disk_put(struct disk *d, struct file *f, uint64_t at, const uint8_t *in, size_t len);
void disk_sync_names(struct disk *d, const char *dir);

#endif
