/* nat_linux.h: private to nat*.c: the NAT of Linux, conntrack with masquerade, which most home
 * routers are. Entries are of five-tuples, so it is none of RFC 4787's kinds:
 *
 *   a source keeps its port wherever it can: an external port is taken only towards one place, and
 *   two hosts inside may have the same one towards two places (port overloading). If it is taken
 *   there: any port. fully-random (ports=random): always any, for each place another.
 *   only that place gets in.
 *   an entry ends after `unreplied` (30 s), or `timeout` (120 s) by a packet that comes after an
 *   answer and when it is two seconds old; both directions refresh it.
 *   input=accept: what comes from outside to no entry is the router's own, and leaves an entry as
 *   well. What is sent out to there from inside then finds its port taken: a packet that comes too
 *   early spoils the hole it was sent for. With input=drop, the default, it leaves nothing.
 *   full: an entry without an answer is given up, else the new one is refused.
 *
 * tests/lab/linux_nat.c puts the same packets through this and through the kernel.
 */
#ifndef MESHD_SIM_NAT_NAT_LINUX_H
#define MESHD_SIM_NAT_NAT_LINUX_H

#include "sim/nat/nat.h"

enum nat_verdict nat_linux_out(struct nat *n, uint64_t now_ns, struct addr *src,
                               const struct addr *dst);
enum nat_verdict nat_linux_in(struct nat *n, uint64_t now_ns, const struct addr *src,
                              struct addr *dst);
/* The two sides of the entry towards `remote`, which is left as it is. False: there is none. */
bool nat_linux_inner(struct nat *n, uint64_t now_ns, const struct addr *outer,
                     const struct addr *remote, struct addr *inner);
bool nat_linux_outer(struct nat *n, uint64_t now_ns, const struct addr *inner,
                     const struct addr *remote, struct addr *outer);
void nat_linux_clear(struct nat *n);
uint32_t nat_linux_count(const struct nat *n, uint64_t now_ns);

#endif
