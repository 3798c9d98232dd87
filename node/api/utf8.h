/* utf8.h: reading UTF-8 strictly (RFC 3629: no overlong forms, no surrogates, nothing above
 * U+10FFFF) and telling which characters can deceive a reader. Pure; shared by node/ and cli/.
 */
#ifndef MESHD_NODE_API_UTF8_H
#define MESHD_NODE_API_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The character at s[0..len) into *cp; returns its bytes (1..4), or 0 if there is none that is
 * well-formed. */
size_t utf8_read(const char *s, size_t len, uint32_t *cp);
bool utf8_valid(const char *s, size_t len);
/* A copy that is well-formed, with U+FFFD for each byte that is not, and a NUL; of a text that does
 * not fit in `cap` bytes (1 at least) the first characters. */
void utf8_repair(char *out, size_t cap, const char *in, size_t len);

/* False for what has no shape of its own or changes how its neighbours look: controls (C0, DEL,
 * C1), line and paragraph separators, zero-width and joining characters, bidirectional marks,
 * embeddings, overrides and isolates (UAX #9), tags, interlinear annotation, soft hyphen,
 * noncharacters, private use. */
bool utf8_plain(uint32_t cp);
/* Well-formed, and every character plain. */
bool utf8_all_plain(const char *s, size_t len);

#endif
