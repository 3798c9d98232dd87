/* support_list.h: nodes whose list of transfers is looked at, and stored. */
#ifndef MESHD_TESTS_SUPPORT_LIST_H
#define MESHD_TESTS_SUPPORT_LIST_H

#include "support_files.h"

enum { ENDS = 4 }; /* done, refused, cancelled, a file that is there already */

/* Two that know each other; all that is stored is safe. */
struct world *list_pair(uint64_t seed);
/* An offer that has come: its number at node 1. */
uint64_t list_offer(struct world *w, const char *path, uint64_t *out);
/* The process ends, in order or not, and starts again. */
void list_restart(struct world *w, unsigned i, bool orderly);
/* All that is told of it but the times of a clock that is not this process's. */
void list_same(const struct transfer_info *a, const struct transfer_info *b);
/* One of each end, as node i lists them. */
void list_ends(struct world *w, unsigned i, struct transfer_info ends[static ENDS]);

#endif
