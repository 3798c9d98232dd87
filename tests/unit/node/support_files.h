/* support_files.h: nodes that send each other files (support_world.h). */
#ifndef MESHD_TESTS_SUPPORT_FILES_H
#define MESHD_TESTS_SUPPORT_FILES_H

#include "node/node_int.h"
#include "support_world.h"

/* Two that know each other; node 1 takes what node 0 sends if `accept` says so. */
struct world *files_pair(uint64_t seed, enum accept_rule accept);
/* Node 0 knows the others, and takes what they send if `accept` says so. */
struct world *files_star(unsigned count, uint64_t seed, enum accept_rule accept);
/* Node 0 sends node 1 these, or this one; its number at node 0. */
uint64_t files_send(struct world *w, const char *const *paths, unsigned count);
uint64_t files_send_one(struct world *w, const char *path);
/* A transfer that there is. */
struct transfer_info files_info(struct world *w, unsigned node, uint64_t id);
/* Node 1 has under the name `to` what node 0 has under `from`. */
void files_arrived(struct world *w, const char *from, const char *to);

#endif
