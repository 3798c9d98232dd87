/* escape.h: a peer's words made safe for a terminal, a log line or a table. Pure; shared by node/
 * and cli/. For names and everything on one line; a message is prose (node/api/prose).
 *
 * Plain characters (utf8_plain) stay as they are, a backslash is doubled, bytes below 0x20, 0x7f
 * and bytes that are not UTF-8 become \xNN, every other character that is not plain becomes
 * \u{NNNN}. Of the plain ones these are not shown either: U+FE0F where it turns nothing into an
 * emoji, and signs without ink (node/api/script). So the result is well-formed UTF-8 on one line
 * without a control character, and two different inputs never look the same.
 */
#ifndef MESHD_NODE_API_ESCAPE_H
#define MESHD_NODE_API_ESCAPE_H

#include <stdbool.h>
#include <stddef.h>

enum { ESCAPE_GROWTH = 4 }; /* an output is at most this many times longer than its input */

/* Writes at most cap - 1 bytes and a NUL; what does not fit is cut before the first character that
 * does not. Returns the bytes that the whole text takes, without the NUL: >= cap means cut. cap 0:
 * nothing is written. */
size_t escape_text(char *out, size_t cap, const char *in, size_t len);
/* Whether all of it would stay as it is, but for backslashes. */
bool escape_none(const char *in, size_t len);

#endif
