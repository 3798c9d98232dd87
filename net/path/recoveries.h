/* recoveries.h: the paths by which packets of a transport leave, or left and are still out: one
 * struct recovery each, found by the path's number. Those that were left end when nothing is out on
 * them any more. Value struct; all zeroes is none.
 */
#ifndef MESHD_NET_PATH_RECOVERIES_H
#define MESHD_NET_PATH_RECOVERIES_H

#include "net/path/recovery.h"

enum { RECOVERIES_MAX = 8 };

struct recoveries {
    struct recovery *v[RECOVERIES_MAX]; /* NULL: free */
};

void recoveries_clear(struct recoveries *r);
/* A new one, all zeroes; it begins with recovery_init. NULL: all are in use, or no memory. */
struct recovery *recoveries_add(struct recoveries *r);
/* The place of a path's in v[]; -1: nothing is out on it. */
int recoveries_find(const struct recoveries *r, uint16_t path);
/* When the first of those that were left gives up; TIME_NEVER: none was. */
uint64_t recoveries_give_up_us(const struct recoveries *r);
/* Frees those that were left and have nothing out. */
void recoveries_reap(struct recoveries *r);

#endif
