/* state.h: how a contact is, for a listing: "online", "offline", "idle 12 min 5 s", "silent 4.20
 * s", or how its node does not let this one in: "ticket refused". */
#ifndef MESHD_CLI_KIT_STATE_H
#define MESHD_CLI_KIT_STATE_H

#include "cli/screen/print.h"
#include "cli/screen/table.h"

/* `o`: a contact or a peer as in docs/CONTROL.md. */
void state_cell(struct table *t, const msgpack_object *o);

#endif
