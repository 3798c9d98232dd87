#include "sim/text/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

void text_clear(struct text *t) {
    mem_free(t->p);
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
    grow(&t->p, &t->cap, t->len + (size_t)more + 1, 1);
    va_start(args, format);
    (void)vsnprintf(t->p + t->len, t->cap - t->len, format, args);
    va_end(args);
    t->len += (size_t)more;
}

void text_put(struct text *t, const char *bytes, size_t n) {
    grow(&t->p, &t->cap, t->len + n + 1, 1);
    memcpy(t->p + t->len, bytes, n);
    t->len += n;
    t->p[t->len] = '\0';
}
