/* store_memory.h: the memory that SQLite works in. Records with secrets pass through it, and what
 * it gives back would stay there until something else is written over it: so all of it is wiped.
 * Its own pools, which hand memory on without giving it back, are switched off.
 */
#ifndef MESHD_NODE_STORE_MEMORY_H
#define MESHD_NODE_STORE_MEMORY_H

struct sqlite3;

/* For all databases of this process. Only the first call, before any is open, does something. */
void store_memory_init(void);
/* For one that has just been opened. */
void store_memory_of(struct sqlite3 *db);

#endif
