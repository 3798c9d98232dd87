#include "cli/hint.h"

#include <stdio.h>
#include <string.h>

static const char command[] = "meshctl wait --for peer=", placeholder[] = "NAME";

/* 'it'\''s' */
static void quote(char *out, size_t cap, const char *name) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    size_t n = 0;
    if (name[0] && name[strspn(name, plain)] == '\0') {
        snprintf(out, cap, "%s", name);
        return;
    }
    n += (size_t)snprintf(out, cap, "'");
    for (; *name && n + 6 < cap; name++)
        n += (size_t)(*name == '\'' ? snprintf(out + n, cap - n, "'\\''")
                                    : snprintf(out + n, cap - n, "%c", *name));
    snprintf(out + n, cap - n, "'");
}

void hint_name(char *out, size_t cap, const char *text, const char *name) {
    char shown[512];
    const char *at = strstr(text, command), *rest = at ? at + sizeof command - 1 : NULL;
    if (!at || strncmp(rest, placeholder, sizeof placeholder - 1) != 0) {
        snprintf(out, cap, "%s", text);
        return;
    }
    rest += sizeof placeholder - 1;
    if (!name) {
        snprintf(out, cap, "%.*smeshctl peers%s", (int)(at - text), text, rest);
        return;
    }
    quote(shown, sizeof shown, name);
    snprintf(out, cap, "%.*s%s%s%s", (int)(at - text), text, command, shown, rest);
}
