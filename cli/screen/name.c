#include "cli/screen/name.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/screen/print.h"
#include "cli/screen/width.h"
#include "net/os/tty.h"
#include "node/api/utf8.h"

static const char dots[] = "\xe2\x80\xa6"; /* U+2026, one column */
static const char plain_dots[] = "...";
enum { SHORTEST_WITH_GAP = 8 }; /* columns of a text that has plain_dots in it */

/* Bytes of the first character or escape of s, which is not empty. */
static size_t piece(const char *s) {
    uint32_t cp;
    if (s[0] == '\\' && s[1] == '\\')
        return 2;
    if (s[0] == '\\' && s[1] == 'x')
        return strnlen(s, 4);
    if (s[0] == '\\' && s[1] == 'u') {
        const size_t n = strcspn(s, "}");
        return s[n] ? n + 1 : n;
    }
    const size_t n = utf8_read(s, strlen(s), &cp);
    return n ? n : 1;
}

/* The same with the marks that belong to it. */
static size_t cluster(const char *s) {
    size_t n = piece(s);
    while (s[n] && width_of(s + n, piece(s + n)) == 0)
        n += piece(s + n);
    return n;
}

/* The first `head` columns at most, `gap`, and the last `tail` ones. */
static char *cut(const char *escaped, size_t head, size_t tail, const char *gap) {
    const size_t len = strlen(escaped), total = width_of(escaped, len), gap_len = strlen(gap);
    size_t first = 0, width = 0, n;
    while (escaped[first] && (n = cluster(escaped + first)) &&
           width + width_of(escaped + first, n) <= head) {
        width += width_of(escaped + first, n);
        first += n;
    }
    size_t last = first;
    for (; escaped[last] && (tail == 0 || total - width > tail); last += n) {
        n = cluster(escaped + last);
        width += width_of(escaped + last, n);
    }
    char *out = print_alloc(first + gap_len + len - last + 1);
    memcpy(out, escaped, first);
    memcpy(out + first, gap, gap_len);
    memcpy(out + first + gap_len, escaped + last, len - last + 1);
    return out;
}

char *name_fit(const char *escaped, size_t columns) {
    if (columns == 0 || width_of(escaped, strlen(escaped)) <= columns)
        return cut(escaped, SIZE_MAX, 0, "");
    const size_t tail = (columns - 1) / 2;
    return cut(escaped, columns - 1 - tail, tail, dots);
}

char *name_head(const char *escaped, size_t columns) {
    if (columns == 0 || width_of(escaped, strlen(escaped)) <= columns)
        return cut(escaped, SIZE_MAX, 0, "");
    return cut(escaped, columns - 1, 0, dots);
}

/* At most `columns` wide, in characters that every terminal has. */
static char *plain_fit(const char *escaped, size_t columns) {
    if (width_of(escaped, strlen(escaped)) <= columns)
        return cut(escaped, SIZE_MAX, 0, "");
    if (columns < SHORTEST_WITH_GAP)
        return cut(escaped, columns, 0, "");
    const size_t room = columns - (sizeof plain_dots - 1), tail = room / 2;
    return cut(escaped, room - tail, tail, plain_dots);
}

size_t name_plain(char *out, size_t cap, const char *s, size_t len, size_t columns) {
    char *escaped = print_escaped(s, len), *fit = plain_fit(escaped, columns);
    /* More bytes than there is room for: then fewer columns. */
    for (size_t less = columns; strlen(fit) >= cap && less > 0;) {
        free(fit);
        fit = plain_fit(escaped, --less);
    }
    snprintf(out, cap, "%s", strlen(fit) < cap ? fit : "");
    free(fit);
    free(escaped);
    return width_of(out, strlen(out));
}

char *name_short(const char *s, size_t len, size_t columns) {
    char *escaped = print_escaped(s, len), *out = name_fit(escaped, columns);
    free(escaped);
    return out;
}

char *name_of_files(const msgpack_object *transfer, size_t columns) {
    const uint64_t files = proto_get_uint(transfer, "files", 0);
    const msgpack_object *first = proto_at(proto_get(transfer, "first"), 0);
    char more[PRINT_NUMBER_MAX] = "";
    size_t len;
    const char *s = proto_get_str(first, "name", &len);
    if (files > 1)
        snprintf(more, sizeof more, " and %llu more", (unsigned long long)files - 1);
    const size_t tail = strlen(more);
    if (!first || (tail && columns && columns < tail + NAME_LEAST_COLUMNS)) {
        /* Its names are not known, or there is no room to tell one and that it is not all. */
        snprintf(more, sizeof more, "%llu file%s", (unsigned long long)files,
                 files == 1 ? "" : "s");
        return name_fit(more, columns);
    }
    char *name = name_short(s, len, columns ? columns - tail : 0);
    const size_t head = strlen(name);
    char *out = print_alloc(head + tail + 1);
    memcpy(out, name, head);
    memcpy(out + head, more, tail + 1);
    free(name);
    return out;
}
