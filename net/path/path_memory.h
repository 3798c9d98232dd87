/* path_memory.h: what the paths of a session that it has left were like. A path that is taken again
 * soon, say a relayed one after a direct one died, starts from half of what it carried then, and
 * with its round trip; the MTU is searched anew. Made at the first switch, so that a session that
 * never moves does not pay for it.
 */
#ifndef MESHD_NET_PATH_PATH_MEMORY_H
#define MESHD_NET_PATH_PATH_MEMORY_H

#include "net/base/hop.h"
#include "net/cc/cc.h"
#include "net/recovery/rtt.h"

enum {
    PATH_MEMORY_PATHS = 4,
    PATH_MEMORY_US = 60 * 1000000, /* older: another network as likely as not */
    PATH_SWITCHES_MAX =
        4, /* so many at once, then one a second: a peer that sends over two paths must not make
                                    * ours flap */
    PATH_SWITCH_US = 1000000,
};

struct path_state {
    struct hop hop;
    uint64_t left_us;
    struct rtt rtt;
    struct cc_seed seed;
};

struct path_memory {
    struct path_state paths[PATH_MEMORY_PATHS];
    unsigned next;
};

/* Remembers a path; the oldest makes room. Without memory nothing happens. */
void path_memory_leave(struct path_memory **m, const struct path_state *p);
/* NULL if it is not known, or was left too long ago. */
const struct path_state *path_memory_find(const struct path_memory *m, const struct hop *at,
                                          uint64_t now_us);

struct path_damper { /* all zeroes is fresh */
    unsigned used;
    uint64_t since_us;
};
/* May the path change now? Counts it if so. */
bool path_damper_allows(struct path_damper *d, uint64_t now_us);

#endif
