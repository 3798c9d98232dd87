/* own_addrs.h: the addresses under which others may find us, for tickets: of the sockets, with
 * every wildcard replaced by the interfaces' addresses. Public ones first, private ones next,
 * loopback last (two nodes on one machine).
 */
#ifndef MESHD_NODE_DAEMON_OWN_ADDRS_H
#define MESHD_NODE_DAEMON_OWN_ADDRS_H

#include "net/base/addr.h"

/* Returns how many of out[0..max) were filled; link-local addresses are left out (they need a
 * scope). Loopback ones are the first to go when there are too many, but one always stays. */
unsigned own_addrs(struct addr *out, unsigned max, const struct addr *bound, unsigned bound_count);

#endif
