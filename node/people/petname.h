/* petname.h: what a user calls a contact (petnames are the local user's; docs/PROTOCOL.md). */
#ifndef MESHD_NODE_PEOPLE_PETNAME_H
#define MESHD_NODE_PEOPLE_PETNAME_H

#include <stdbool.h>

#include "crypto/identity/identity.h"
#include "node/base/limits.h"

/* 1..PETNAME_MAX bytes of plain UTF-8 (node/api/utf8.h) without '/', not beginning or ending with a
 * space, not beginning with '-' (so that it is never an option of meshctl). */
bool petname_ok(const char *name);
/* "peer-" and the first 8 characters after "mesh1" of the id; "-2" and so on for the further tries
 * of whoever looks for one that is free. */
void petname_default(const struct node_id *id, unsigned try, char out[static PETNAME_MAX + 1]);

#endif
