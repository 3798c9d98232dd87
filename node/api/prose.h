/* prose.h: a peer's message as its reader should see it: lines as lines, emoji, Persian and Hindi
 * as they were written, and nothing of it that drives the terminal, hides, or passes for something
 * else. Names are not prose: node/api/escape, which lets nothing invisible through.
 *
 * Kept beside what utf8_plain calls plain:
 *   - a newline (with a carriage return before it, too), after which the indent stands, so that no
 *   line of a
 *     message begins where one of ours does; a tab
 *   - U+200D between emoji; U+200C and U+200D behind a letter that joins; U+200B behind one of a
 *   script
 *     without blanks; a variation selector behind what it can select (node/api/script)
 *   - the flags of England, Scotland and Wales, the only tag sequences in use (UTS #51)
 *   - in a line that has a letter written from right to left: U+200E, U+200F, U+061C; embeddings
 *   and
 *     isolates if all of the line's are closed within it, in order, and at most PROSE_DEPTH_MAX
 *     deep
 *     (UAX #9; the end of a line ends them anyway)
 * Everything else invisible, every override (U+202D, U+202E), all that is left of those above and
 * what is not UTF-8 is escaped as node/api/escape does. A backslash is doubled where what follows
 * would make it look like an escape: so two messages that differ in more than carriage returns look
 * different.
 */
#ifndef MESHD_NODE_API_PROSE_H
#define MESHD_NODE_API_PROSE_H

#include <stddef.h>

enum { PROSE_DEPTH_MAX = 8 };

/* Writes at most cap - 1 bytes and a NUL; what does not fit is cut before the first character that
 * does not. Returns the bytes that the whole takes, without the NUL: >= cap means cut. cap 0:
 * nothing is written. */
size_t prose_show(char *out, size_t cap, const char *in, size_t len, const char *indent);

#endif
