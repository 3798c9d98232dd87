/* date.h: a wall clock's time as text, for sentences: UTC. */
#ifndef MESHD_NODE_BASE_DATE_H
#define MESHD_NODE_BASE_DATE_H

#include <stdint.h>

enum { DATE_TEXT_MAX = 72 };

/* "2026-11-28 20:53:09 UTC". Seconds since 1970; later than the year 9999 is "after the year
 * 9999". */
void date_text(uint64_t unix_s, char out[static DATE_TEXT_MAX]);

#endif
