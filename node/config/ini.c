#include "node/config/ini.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "node/api/utf8.h"

size_t ini_bom(const char *text, size_t len) {
    static const char bom[] = "\xef\xbb\xbf";
    return len >= 3 && memcmp(text, bom, 3) == 0 ? 3 : 0;
}

int ini_shown(const char *text, unsigned chars) {
    const size_t len = strlen(text);
    size_t at = 0;
    uint32_t cp;
    for (size_t n; chars > 0 && (n = utf8_read(text + at, len - at, &cp)) > 0; chars--)
        at += n;
    return (int)at;
}

PRINTF_LIKE(2, 3) static int fail(char wrong[static INI_WRONG_MAX], const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(wrong, INI_WRONG_MAX, fmt, ap);
    va_end(ap);
    return ERR_FORMAT;
}

/* What is quoted in a complaint must be fit to be shown. */
static int check_characters(const char *text, size_t len, char *wrong) {
    uint32_t cp;
    for (size_t at = 0, n; at < len; at += n) {
        n = utf8_read(text + at, len - at, &cp);
        if (n == 0 && at == 0 && len > 1 && (text[0] == '\xff' || text[0] == '\xfe'))
            return fail(wrong, "the file is UTF-16; save it as UTF-8");
        if (n == 0)
            return fail(wrong, "byte %zu of the line is not UTF-8; save the file as UTF-8", at + 1);
        if (cp == '\r')
            return fail(wrong,
                        "a carriage return in the middle of a line; lines end with a newline");
        if (cp == 0)
            return fail(wrong, "a zero byte; the file should be text (UTF-8)");
        if ((cp < 0x20 && cp != '\t') || (cp >= 0x7f && cp <= 0x9f))
            return fail(wrong, "an invisible control character (U+%04X); remove it", (unsigned)cp);
    }
    return 0;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

/* Cuts a ';' behind a blank, and what follows. */
static bool cut_comment(char *s) {
    for (; *s; s++)
        if (s[0] == ';' && is_blank(s[-1])) {
            *s = '\0';
            return true;
        }
    return false;
}

static char *strip(char *s) {
    s += strspn(s, " \t");
    for (size_t n = strlen(s); n > 0 && is_blank(s[n - 1]); n--)
        s[n - 1] = '\0';
    return s;
}

static int section_line(struct ini_line *out, char *s, char *wrong) {
    char *end = strchr(s, ']');
    if (!end)
        return fail(wrong, "the ']' behind the section's name is missing");
    char *rest = strip(end + 1);
    if (rest[0] && rest[0] != ';' && rest[0] != '#')
        return fail(wrong, "'%.*s' behind a section; its keys go on lines of their own",
                    ini_shown(rest, 32), rest);
    *end = '\0';
    out->kind = INI_SECTION;
    out->name = strip(s + 1);
    return 0;
}

static int key_line(struct ini_line *out, char *s, char *wrong) {
    char *equals = strchr(s, '=');
    if (!equals || equals == s)
        return fail(wrong, "'%.*s' is no line of the form: key = value",
                    ini_shown(s, INI_SHOWN_CHARS), s);
    *equals = '\0';
    out->kind = INI_KEY;
    out->commented = cut_comment(equals + 1);
    out->value = strip(equals + 1);
    out->name = strip(s);
    return 0;
}

int ini_line(struct ini_line *out, char *text, size_t len, char wrong[static INI_WRONG_MAX]) {
    *out = (struct ini_line){INI_NOTHING, "", "", false};
    if (len > 0 && text[len - 1] == '\r')
        len--;
    if (len > INI_LINE_MAX)
        return fail(wrong, "the line is too long: %zu bytes, and at most %d are allowed", len,
                    INI_LINE_MAX);
    text[len] = '\0';
    if (check_characters(text, len, wrong) != 0)
        return ERR_FORMAT;
    char *s = strip(text);
    if (s[0] == '\0' || s[0] == ';' || s[0] == '#')
        return 0;
    return s[0] == '[' ? section_line(out, s, wrong) : key_line(out, s, wrong);
}
