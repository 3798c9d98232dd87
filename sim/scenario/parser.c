/* parser.c: the words of a statement, one after the other. */
#include "sim/scenario/parser.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

bool parse_fail(struct parser *p, struct place at, const char *format, ...) {
    va_list args;
    va_start(args, format);
    p->lexer.problem.at = at;
    (void)vsnprintf(p->lexer.problem.text, sizeof p->lexer.problem.text, format, args);
    va_end(args);
    return false;
}

const struct word *parse_word(struct parser *p, const char *what) {
    const struct lexer *l = &p->lexer;
    if (p->next < l->count)
        return &l->words[p->next++];
    const struct word *last = &l->words[l->count - 1];
    const struct place end = {last->at.line, last->at.column + (unsigned)strlen(last->text)};
    (void)parse_fail(p, end, "%s is expected", what);
    return NULL;
}

bool parse_end(struct parser *p) {
    if (p->next == p->lexer.count)
        return true;
    const struct word *w = &p->lexer.words[p->next];
    return parse_fail(p, w->at, "unexpected '%.60s'", w->text);
}

uint64_t parse_id(const struct parser *p, const struct word *from) {
    const struct lexer *l = &p->lexer;
    uint64_t h = UINT64_C(0xcbf29ce484222325); /* FNV-1a, each word with its end */
    for (const struct word *w = from; w < l->words + l->count; w++)
        for (const char *c = w->text;; c++) {
            h = (h ^ (uint8_t)*c) * UINT64_C(0x100000001b3);
            if (!*c)
                break;
        }
    return h;
}

bool parse_quantity(struct parser *p, enum quantity q, const char *what, uint64_t *out) {
    const struct word *w = parse_word(p, what);
    if (!w)
        return false;
    const char *wrong = quantity_parse(w->text, q, out);
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

const struct word *parse_peek(const struct parser *p) {
    return p->next < p->lexer.count ? &p->lexer.words[p->next] : NULL;
}

const char *parse_key(const struct word *w, const char *key) {
    const size_t len = strlen(key);
    return strncmp(w->text, key, len) == 0 && w->text[len] == '=' ? w->text + len + 1 : NULL;
}

bool parse_value(struct parser *p, const struct word *w, const char *value, enum quantity q,
                 uint64_t *out) {
    const char *wrong = quantity_parse(value, q, out);
    return wrong ? parse_fail(p, w->at, "'%.60s': %s", w->text, wrong) : true;
}

void *scenario_room(void *items, uint32_t count, uint32_t *cap, size_t item_bytes) {
    grow(&items, cap, count + 1, item_bytes);
    memset((char *)items + count * item_bytes, 0, item_bytes);
    return items;
}

bool parse_keyword(struct parser *p, const char *keyword) {
    const struct word *w = parse_word(p, keyword);
    if (!w)
        return false;
    return strcmp(w->text, keyword) == 0 ? true : parse_fail(p, w->at, "'%s' is expected", keyword);
}
