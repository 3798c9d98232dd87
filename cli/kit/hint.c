#include "cli/kit/hint.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "node/api/quote.h"

static const char command[] = "meshctl wait --for peer=", placeholder[] = "NAME";

void hint_name(char *out, size_t cap, const char *text, const char *name) {
    char word[512];
    const char *at = strstr(text, command), *rest = at ? at + sizeof command - 1 : NULL;
    if (!at || strncmp(rest, placeholder, sizeof placeholder - 1) != 0) {
        snprintf(out, cap, "%s", text);
        return;
    }
    rest += sizeof placeholder - 1;
    /* A backslash is doubled where the sentence is shown, and that would be another name. */
    if (!name || strchr(name, '\\') || !quote_word(word, sizeof word, name)) {
        snprintf(out, cap, "%.*smeshctl peers%s", (int)(at - text), text, rest);
        return;
    }
    snprintf(out, cap, "%.*s%s%s%s", (int)(at - text), text, command, word, rest);
}

static bool follows(const char *text, const char *at, const char *before) {
    const size_t n = strlen(before);
    return (size_t)(at - text) >= n && memcmp(at - n, before, n) == 0;
}

/* Whether the "meshctl " at `at` begins a command to be typed here: not one that somebody else is
 * asked for, nor what merely speaks of meshctl. */
static bool is_command(const char *text, const char *at) {
    const char *clause = text, *ask;
    const char next = at[sizeof "meshctl " - 1];
    for (const char *p = text; p < at; p++)
        if (*p == ';')
            clause = p;
    ask = strstr(clause, "ask ");
    if (next < 'a' || next > 'z' || (ask && ask < at) || follows(text, at, "usage: "))
        return false;
    return follows(text, at, ": ") || follows(text, at, "(") || follows(text, at, "see ") ||
           follows(text, at, "then ");
}

void hint_daemon(char *out, size_t cap, const char *text, const char *option) {
    const char *from = text, *at = text;
    size_t n = 0;
    if (!option[0]) {
        snprintf(out, cap, "%s", text);
        return;
    }
    out[0] = '\0';
    while ((at = strstr(at, "meshctl ")) != NULL && n < cap) {
        const bool here = is_command(text, at);
        at += sizeof "meshctl " - 1;
        if (!here)
            continue;
        n += (size_t)snprintf(out + n, cap - n, "%.*s%s ", (int)(at - from), from, option);
        from = at;
    }
    if (n < cap)
        snprintf(out + n, cap - n, "%s", from);
}
