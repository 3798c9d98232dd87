/* name.h: names of files and contacts as people read them: escaped, and shortened in the middle
 * where a line has only so much room, so that beginning and ending stay. Where the output is no
 * terminal, nothing is ever shortened: a program reads it.
 */
#ifndef MESHD_CLI_SCREEN_NAME_H
#define MESHD_CLI_SCREEN_NAME_H

#include <stddef.h>

#include "node/api/rpc/control_proto.h"

enum {
    NAME_LEAST_COLUMNS = 8
}; /* a name is not shortened further to make room for its neighbours */

/* All of these give a heap string (free it; never NULL: they die without memory). `columns`: what
 * there is room for; 0: any width. */

/* `escaped` (node/api/escape.h), cut between characters and escapes, never within one. */
char *name_fit(const char *escaped, size_t columns);
/* The same, but what is left out is its end. */
char *name_head(const char *escaped, size_t columns);
/* As name_fit, of a name that is not escaped yet. */
char *name_short(const char *s, size_t len, size_t columns);
/* What a transfer (docs/CONTROL.md) is about: the name of its file, or "NAME and 11 more". */
char *name_of_files(const msgpack_object *transfer, size_t columns);

/* For the line that changes in place (cli/screen/line.h): escapes, and leaves out the middle of
 * what takes more than `columns`: "holi...2026.mkv"; below 8 columns only the beginning is kept.
 * Writes at most cap - 1 bytes (cap 1 or more) and a NUL; gives the columns that it takes. */
size_t name_plain(char *out, size_t cap, const char *s, size_t len, size_t columns);

#endif
