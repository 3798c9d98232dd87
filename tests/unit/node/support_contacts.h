/* support_contacts.h: what is seen of a contact, and what looking for it has cost. */
#ifndef MESHD_TESTS_SUPPORT_CONTACTS_H
#define MESHD_TESTS_SUPPORT_CONTACTS_H

#include "support_world.h"

/* A contact that there is. */
struct contact_info contact_seen(struct world *w, unsigned by, const char *name);
/* Handshakes that node i has begun, and datagrams that it has sent. */
uint64_t dials_of(struct world *w, unsigned i);
uint64_t packets_of(struct world *w, unsigned i);

#endif
