/* lexer.h: a scenario's text as statements of words. A statement ends with the line or with ';';
 * '#' starts a comment; words are separated by blanks; comparison signs (< <= > >= == !=) are words
 * of their own; `$name` inside a word stands for what `let name VALUE` (or the command line) said.
 */
#ifndef MESHD_SIM_SCENARIO_LEXER_H
#define MESHD_SIM_SCENARIO_LEXER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { LEXER_WORD_MAX = 255, LEXER_WORDS_MAX = 4096, LEXER_LETS_MAX = 64 };

struct place {
    unsigned line, column; /* from 1 */
};

struct problem { /* why a scenario cannot be read */
    struct place at;
    char text[256];
};

struct word {
    struct place at;
    char text[LEXER_WORD_MAX + 1];
};

struct let {
    char name[32], value[LEXER_WORD_MAX + 1];
    bool fixed; /* from the command line: the scenario's own value is ignored */
    bool used;  /* the scenario has this name */
};

struct lexer {
    const char *p;
    struct place at;
    struct let lets[LEXER_LETS_MAX];
    size_t let_count;
    struct word *words; /* of the current statement */
    size_t count;
    uint32_t cap;
    struct problem problem; /* line 0: none */
};

void lexer_init(struct lexer *l, const char *text);
void lexer_clear(struct lexer *l);
/* False if there is no room or the name is not [A-Za-z_][A-Za-z0-9_]*. */
bool lexer_let(struct lexer *l, const char *name, const char *value, bool fixed);
/* Reads the next statement that has words; false at the end, or with a problem. */
bool lexer_next(struct lexer *l);

#endif
