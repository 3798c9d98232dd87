#include "cli/hint.h"

#include <stdio.h>
#include <string.h>

#include "node/quote.h"

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
