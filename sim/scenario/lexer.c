#include "sim/scenario/lexer.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base/mem.h"
#include "sim/memory/grow.h"

void lexer_init(struct lexer *l, const char *text) {
    *l = (struct lexer){.p = text, .at = {1, 1}};
}

void lexer_clear(struct lexer *l) {
    mem_free(l->words);
    l->words = NULL;
    l->count = l->cap = 0;
}

static bool name_char(char c, bool first) {
    return c == '_' || (first ? isalpha((unsigned char)c) : isalnum((unsigned char)c));
}

static struct let *find_let(struct lexer *l, const char *name) {
    for (size_t i = 0; i < l->let_count; i++)
        if (strcmp(l->lets[i].name, name) == 0)
            return &l->lets[i];
    return NULL;
}

bool lexer_let(struct lexer *l, const char *name, const char *value, bool fixed) {
    size_t len = 0;
    while (name[len] && name_char(name[len], len == 0))
        len++;
    if (len == 0 || name[len] || len >= sizeof l->lets->name || strlen(value) > LEXER_WORD_MAX)
        return false;
    struct let *let = find_let(l, name);
    if (let && let->fixed && !fixed) {
        let->used = true;
        return true;
    }
    if (!let) {
        if (l->let_count == LEXER_LETS_MAX)
            return false;
        let = &l->lets[l->let_count++];
        (void)snprintf(let->name, sizeof let->name, "%s", name);
    }
    (void)snprintf(let->value, sizeof let->value, "%s", value);
    let->fixed = fixed;
    return true;
}

static void complain(struct lexer *l, struct place at, const char *what) {
    l->problem.at = at;
    (void)snprintf(l->problem.text, sizeof l->problem.text, "%s", what);
}

static char take(struct lexer *l) {
    const char c = *l->p++;
    if (c == '\n')
        l->at = (struct place){l->at.line + 1, 1};
    else
        l->at.column++;
    return c;
}

static struct word *add_word(struct lexer *l) {
    if (l->count == LEXER_WORDS_MAX) {
        complain(l, l->at, "the statement has too many words");
        return NULL;
    }
    grow(&l->words, &l->cap, l->count + 1, sizeof *l->words);
    struct word *w = &l->words[l->count++];
    *w = (struct word){.at = l->at};
    return w;
}

/* `$name` at the read position; its value is appended to the word. */
static bool expand(struct lexer *l, struct word *w, size_t *len) {
    const struct place at = l->at;
    char name[32];
    size_t n = 0;
    (void)take(l);
    while (name_char(*l->p, n == 0) && n < sizeof name - 1)
        name[n++] = take(l);
    name[n] = '\0';
    struct let *let = find_let(l, name);
    if (!let) {
        complain(l, at, "no `let` has given this name a value");
        return false;
    }
    let->used = true;
    const size_t add = strlen(let->value);
    if (*len + add > LEXER_WORD_MAX) {
        complain(l, w->at, "the word is too long");
        return false;
    }
    memcpy(w->text + *len, let->value, add);
    *len += add;
    return true;
}

static bool ends_word(const char *p) {
    return *p == '\0' || isspace((unsigned char)*p) || *p == ';' || *p == '#' || *p == '<' ||
           *p == '>' || *p == '!' || (*p == '=' && p[1] == '=');
}

static bool comparison(struct lexer *l) {
    struct word *w = add_word(l);
    if (!w)
        return false;
    w->text[0] = take(l);
    if (*l->p == '=')
        w->text[1] = take(l);
    if (strcmp(w->text, "!") != 0)
        return true;
    complain(l, w->at, "'!' must be followed by '='");
    return false;
}

static bool plain_word(struct lexer *l) {
    struct word *w = add_word(l);
    size_t len = 0;
    while (w && !ends_word(l->p)) {
        if (*l->p == '$') {
            if (!expand(l, w, &len))
                return false;
        } else if (len == LEXER_WORD_MAX) {
            complain(l, w->at, "the word is too long");
            return false;
        } else {
            w->text[len++] = take(l);
        }
    }
    return w != NULL;
}

bool lexer_next(struct lexer *l) {
    l->count = 0;
    for (;;) {
        const char c = *l->p;
        if (c == '#') {
            while (*l->p && *l->p != '\n')
                (void)take(l);
        } else if (c == '\0' || c == '\n' || c == ';') {
            if (c)
                (void)take(l);
            if (l->count > 0)
                return true;
            if (!c)
                return false;
        } else if (isspace((unsigned char)c)) {
            (void)take(l);
        } else if (ends_word(l->p) ? !comparison(l) : !plain_word(l)) {
            return false;
        }
    }
}
