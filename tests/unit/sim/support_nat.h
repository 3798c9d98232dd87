/* support_nat.h: a NAT by its description, and addresses on both sides of it. */
#ifndef MESHD_TESTS_SUPPORT_NAT_H
#define MESHD_TESTS_SUPPORT_NAT_H

#include "sim/nat/nat.h"

extern const struct addr nat_external[2]; /* its own; the second only if it has a pool */

/* As `text` says, or a failed test. */
struct nat *nat_of(const char *text);
struct addr nat_inside(uint8_t host, uint16_t port);
struct addr nat_outside(uint8_t host, uint16_t port);

#endif
