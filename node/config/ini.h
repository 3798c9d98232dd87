/* ini.h: one line of an INI file taken apart, strictly: nothing is guessed, and what is wrong is
 * said. Pure; node/config/config has the meaning.
 *
 *   [section]      ; a comment may follow
 *   key = value    ; likewise, behind a blank
 *   # a comment
 *
 * UTF-8 without control characters but tabs; a carriage return before the line end and a byte order
 * mark before the first line are ignored.
 */
#ifndef MESHD_NODE_CONFIG_INI_H
#define MESHD_NODE_CONFIG_INI_H

#include <stdbool.h>
#include <stddef.h>

#include "crypto/base/err.h"

enum {
    INI_LINE_MAX = 1024,  /* bytes, without its end */
    INI_WRONG_MAX = 160,  /* a sentence, with its NUL */
    INI_SHOWN_CHARS = 64, /* of a line that is no good */
};

enum ini_kind { INI_NOTHING, INI_SECTION, INI_KEY };

struct ini_line {
    enum ini_kind kind;
    const char *name, *value; /* within the text given in; "" where there is none */
    bool commented;           /* a comment behind the value was cut off */
};

/* Bytes of a byte order mark at the beginning of the file. */
size_t ini_bom(const char *text, size_t len);
/* text[0..len) without the line end, with room for a NUL behind it; it is changed. ERR_FORMAT with
 * a sentence in `wrong`: what it is, and what should be there. */
int ini_line(struct ini_line *out, char *text, size_t len,
             char wrong[static INI_WRONG_MAX]) MUST_USE;
/* The bytes of the first `chars` characters at most, for "%.*s". */
int ini_shown(const char *text, unsigned chars);

#endif
