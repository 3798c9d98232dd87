/* patch.h: the key=value words of `link` and `disk` statements: changes to a configuration, of
 * which only those named are made. Keys of a link count for both directions unless they end in
 * ".up" or ".down".
 */
#ifndef MESHD_SIM_SCENARIO_PATCH_H
#define MESHD_SIM_SCENARIO_PATCH_H

#include <stdint.h>

#include "sim/disk/disk.h"
#include "sim/link/link.h"

struct link_patch {
    struct link_config values[2]; /* by enum sim_direction */
    unsigned set[2];              /* which of them, one bit per key */
};

struct disk_patch {
    struct disk_config values;
    unsigned set;
};

/* NULL, or what is wrong with the word (static text). */
const char *link_patch_read(struct link_patch *p, const char *word);
const char *disk_patch_read(struct disk_patch *p, const char *word);
void link_patch_apply(const struct link_patch *p, unsigned direction, struct link_config *c);
void disk_patch_apply(const struct disk_patch *p, struct disk_config *c);

#endif
