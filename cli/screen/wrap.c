#include "cli/screen/wrap.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "node/api/utf8.h"

enum { TAB_COLUMNS = 8, WIDE_FROM = 0x1100 };

/* A blank of any width: what a padding could be made of. */
static bool is_blank(uint32_t cp) {
    return cp == ' ' || cp == '\t' || cp == 0xa0 || cp == 0x1680 ||
           (cp >= 0x2000 && cp <= 0x200b) || cp == 0x202f || cp == 0x205f || cp == 0x2800 ||
           cp == 0x3000;
}

/* At most: one too many breaks a line early, one too few leaves it to the terminal. */
static size_t width_of(uint32_t cp) {
    return cp == '\t' ? TAB_COLUMNS : cp < WIDE_FROM ? 1 : 2;
}

size_t wrap_width(const char *text, size_t len) {
    size_t width = 0;
    uint32_t cp;
    for (size_t at = 0, n; at < len && (n = utf8_read(text + at, len - at, &cp)) > 0; at += n)
        width += width_of(cp);
    return width;
}

/* The bytes of the characters from `text` on that are blanks, or that are none; up to the line's
 * end. */
static size_t run(const char *text, size_t len, bool blanks) {
    size_t at = 0, n;
    uint32_t cp;
    while (at < len && text[at] != '\n' && (n = utf8_read(text + at, len - at, &cp)) > 0 &&
           is_blank(cp) == blanks)
        at += n;
    return at;
}

void wrap_print(FILE *f, const char *text, size_t column, size_t columns, const char *indent) {
    size_t left = strlen(text);
    if (columns == 0) {
        fputs(text, f);
        return;
    }
    while (left > 0) {
        size_t gap = run(text, left, true), word = run(text + gap, left - gap, false);
        size_t blank = wrap_width(text, gap), need = blank + wrap_width(text + gap, word);
        /* Where the word would not begin further to the left, nothing is won. */
        if (gap > 0 && column + need > columns && column + blank > strlen(indent)) {
            fprintf(f, "\n%s", indent);
            column = strlen(indent);
            fwrite(text + gap, 1, word, f);
            column += wrap_width(text + gap, word);
        } else {
            fwrite(text, 1, gap + word, f);
            column += need;
        }
        text += gap + word;
        left -= gap + word;
        if (left > 0 && *text != '\n' && gap + word > 0)
            continue;
        if (left > 0) {
            fputc(*text, f); /* the end of a line; or what is no UTF-8, which nobody gives */
            column = 0;
            text++;
            left--;
        }
    }
}
