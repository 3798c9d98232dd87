/* contact_table.h: contacts in memory, found by name, id, serial or the endpoint's reference
 * without looking at all of them: three sorted lists of pointers, and one by the peer's index. The
 * table owns the contacts. The finding functions are in contact.h.
 */
#ifndef MESHD_NODE_PEOPLE_CONTACT_TABLE_H
#define MESHD_NODE_PEOPLE_CONTACT_TABLE_H

#include "node/people/contact.h"

/* Takes c over and gives it its serial. Name, id and peer must be set, name and id be new.
 * ERR_FULL, ERR_NOMEM: c is still the caller's. */
int contact_table_insert(struct contacts *t, struct contact *c) MUST_USE;
/* Out of the table: c is the caller's again. */
void contact_table_remove(struct contacts *t, struct contact *c);
/* The new name must be free. */
void contact_table_rename(struct contacts *t, struct contact *c, const char *name);
/* Frees everything. */
void contact_table_clear(struct contacts *t);
void contact_free(struct contact *c); /* one that is in no table; wipes it */

#endif
