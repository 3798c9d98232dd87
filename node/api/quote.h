/* quote.h: a word in a command that somebody copies into a shell. Pure; shared by node/ and cli/.
 */
#ifndef MESHD_NODE_API_QUOTE_H
#define MESHD_NODE_API_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

enum {
    QUOTE_GROWTH = 5
}; /* an output is at most this many times longer than its input, and two quotes */

/* Between quotes. No backslash is added: whoever shows the
 * command doubles those (node/api/escape), and the shell would see the rest of the word outside of
 * its quotes. False if it does not fit: then out is empty. */
bool quote_text(char *out, size_t cap, const char *word);
/* Likewise, but as it is if no shell sees anything in it. */
bool quote_word(char *out, size_t cap, const char *word);

#endif
