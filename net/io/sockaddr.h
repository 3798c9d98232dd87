/* sockaddr.h: between net/base/addr.h, which knows no sockets, and what the kernel takes.
 * IPv4-mapped IPv6 addresses become IPv4, so that one address keeps one form.
 */
#ifndef MESHD_NET_IO_SOCKADDR_H
#define MESHD_NET_IO_SOCKADDR_H

#include <stdbool.h>
#include <uv.h> /* brings the platform's struct sockaddr */

#include "net/base/addr.h"

/* Fills *out and returns the size in use; 0 for ADDR_NONE. */
socklen_t sockaddr_from(struct sockaddr_storage *out, const struct addr *a);
/* False (and ADDR_NONE) if it is neither IPv4 nor IPv6. `in` has the full size of its family. */
bool sockaddr_to(struct addr *out, const struct sockaddr *in);

#endif
