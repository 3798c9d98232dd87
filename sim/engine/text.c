#include "sim/engine/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void text_clear(struct text *t) {
    free(t->p);
    *t = (struct text){0};
}

const char *text_of(const struct text *t) {
    return t->p ? t->p : "";
}

void text_add(struct text *t, const char *format, ...) {
    va_list args;
    va_start(args, format);
    const int more = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (more < 0)
        abort();
    if (t->len + (size_t)more + 1 > t->cap) {
        t->cap = 2 * (t->len + (size_t)more) + 256;
        t->p = realloc(t->p, t->cap);
        if (!t->p)
            abort();
    }
    va_start(args, format);
    (void)vsnprintf(t->p + t->len, t->cap - t->len, format, args);
    va_end(args);
    t->len += (size_t)more;
}
